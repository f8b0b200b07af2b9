import { crossCheck, type ResolvedSettings } from '@tutti/config';
import { type LocalOptions, runLocal } from '@tutti/launch';
import type { PreparedChildren } from '@tutti/launch/internal';
import { defaultShards, planToGoOn, readingCheckpoint } from '@tutti/run';
import { mostOpenFiles } from '@tutti/runtime';
import { isTensorflowChatter } from '@tutti/tensorflow-setup/internal';
import { defaultWorkers, thisMachine } from '../machine/default-workers.js';
import { fewOpenFiles } from '../machine/open-files.js';
import { folderFault, runsFolder } from '../output/folders.js';
import { withOutput } from '../output/output.js';
import { sharingText } from '../output/sharing-text.js';
import type { CliContext } from '../process/context.js';
import { goingOnWith, interruptionOf } from '../process/interruption.js';
import { monitorsOf } from '../process/monitors.js';
import { reported } from '../process/reported.js';
import { inspectedProgram } from '../programs/inspected-program.js';
import { loadProgram } from '../programs/load-program.js';
import { commandAgain } from '../settings/handed-on.js';
import { roleSettings } from '../settings/role-settings.js';
import type { Flags } from '../settings/settings.js';
import { FILES_OF_CHILD } from '../tunables.js';
import { openDashboard } from './dashboards.js';
import { observeRun } from './observers.js';
import { keepRun } from './report.js';
import { announceTimeline } from './timelines.js';

/**
 * Trains a program on this machine, with the processes that were started ahead and more if it takes more.
 * Apart from the command: while this and what it imports is loaded, those load what they need.
 */
export async function trainHere(
  path: string,
  flags: Flags,
  { settings, sources }: ResolvedSettings,
  prepared: PreparedChildren,
  context: CliContext,
): Promise<void> {
  await withOutput(settings, context, async (output) => {
    const { renderer, log, observe } = output;
    observe(keepRun(output, context.clock));
    // Unnamed wait: modules of this machine.
    await observeRun(settings, context, output);
    announceTimeline(settings, output);
    const { monitor } = monitorsOf(context, renderer);
    const { program, hash } = await loadProgram(path, context, { monitor, renderer });
    const { checkpointDir, resume, listen: address } = settings;
    const runsDir = runsFolder(program.name ?? 'program');
    const previous =
      resume === undefined
        ? undefined
        : await monitor.race(
            planToGoOn(resume, checkpointDir ?? runsDir, hash, settings),
            readingCheckpoint,
          );
    const named = settings.shards ?? previous?.shards ?? program.shards;
    const batchSize = settings.batchSize ?? program.batchSize;
    const shards = named ?? defaultShards(batchSize);
    const whose = previous === undefined ? `program ${path}` : 'the checkpoint';
    crossCheck({ ...settings, shards }, { shards: whose, ...sources });
    const workers = settings.workers ?? defaultWorkers(thisMachine(), shards);
    const interruption = interruptionOf(
      context,
      output,
      goingOnWith(commandAgain('train', flags, path)),
    );
    const options: LocalOptions = {
      ...roleSettings(settings),
      workers,
      prepared,
      address,
      runsDir,
      signal: context.signal,
      interrupt: interruption.signal,
      onEvent: renderer,
      onLine(name, line) {
        if (isTensorflowChatter(line)) log.debug(`${name}: ${line}`);
        else renderer.note(`${name}: ${line}`);
      },
    };
    const fault = folderFault(checkpointDir ?? runsDir);
    if (fault !== undefined)
      renderer({
        event: 'warning',
        code: 'STORAGE',
        message: `Nothing can be written into ${checkpointDir ?? runsDir}: ${fault}`,
        remedy: 'Stop, and choose another --checkpoint-dir.',
      });
    const few = fewOpenFiles(workers, FILES_OF_CHILD, mostOpenFiles());
    if (few !== undefined) renderer(few);
    if (named === undefined && resume === undefined)
      renderer.note(
        `${shards} shards, by the batch size of ${batchSize}: as many workers can share a step; --shards sets another number, and gives another result`,
      );
    if (settings.workers === undefined)
      renderer.note(
        `${workers} of at most ${shards} workers, by the cores and the memory there are`,
      );
    if (settings.verbose) {
      const { report } = await inspectedProgram(program, context, renderer);
      renderer.note(sharingText(report));
    }
    await openDashboard(settings, context, output, program.name);
    const { result } = runLocal(path, options);
    const { unsaved } = await interruption.sayingHowToGoOn(result);
    // The last event has told it.
    if (unsaved !== undefined) throw reported(unsaved);
  });
}
