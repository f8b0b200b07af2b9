import { type ReplayedStep, replay as replaySteps } from '@tutti/launch/internal';
import { TuttiError } from '@tutti/runtime';
import { setArithmeticEnvironment } from '../machine/arithmetic-environment.js';
import { runsFolder } from '../output/folders.js';
import { withOutput } from '../output/output.js';
import type { CliContext } from '../process/context.js';
import { monitorsOf } from '../process/monitors.js';
import { loadProgram } from '../programs/load-program.js';
import { type Flags, settingsFor } from '../settings/settings.js';

/**
 * `tutti replay <program>`: computes steps of a run again in this process, from a checkpoint, and
 * compares them with what the run recorded. Exit code 1 at the first that differs.
 */
export async function replay(path: string, flags: Flags, context: CliContext): Promise<void> {
  const { steps, ...given } = flags;
  const resolved = await settingsFor('replay', given, context, path);
  const { settings } = resolved;
  const range = steps === undefined ? undefined : rangeOf(String(steps));
  setArithmeticEnvironment(context.environment, resolved);
  await withOutput(settings, context, async ({ renderer, result }) => {
    const { monitor } = monitorsOf(context, renderer);
    const { program, hash } = await loadProgram(path, context, { monitor, renderer });
    // Unnamed wait: what it awaits names its own waits.
    const replayed = await replaySteps({
      onWaiting: (report) => renderer({ event: 'waiting', ...report }),
      program,
      programHash: hash,
      checkpoint: settings.checkpoint ?? runsFolder(program.name ?? 'program'),
      steps: range,
      clock: context.clock,
      signal: context.signal,
      onStep: (step) => result({ event: 'replayed-step', ...step }, lineOf(step)),
    });
    const { checkpoint, digest } = replayed;
    const [first, last] = [replayed.steps[0]!.step, replayed.steps.at(-1)!.step];
    const compared = replayed.steps.filter(({ same }) => same !== undefined).length;
    result(
      { event: 'replayed', checkpoint, first, last, compared, digest },
      `steps ${first} to ${last} from ${checkpoint}: all ${compared} that the run recorded are the same, bit for bit`,
    );
  });
}

function lineOf({ step, loss, digest, same, checkpoint }: ReplayedStep): string {
  const verdict = { true: 'the same', false: 'DIFFERENT', undefined: 'not recorded' }[String(same)];
  const weights = checkpoint?.same === true ? `, and the weights of ${checkpoint.path}` : '';
  return `step ${step}: loss ${loss}, digest ${digest.slice(0, 12)}: ${verdict}${weights}`;
}

/** "100..110", or one step. */
function rangeOf(text: string): { first: number; last: number } {
  const match = /^(\d+)(?:\.\.(\d+))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match !== null && first >= 1 && last >= first && Number.isSafeInteger(last))
    return { first, last };
  throw new TuttiError(
    'BAD_CONFIG',
    `steps (flag --steps) is ${JSON.stringify(text)}, but it must be a step or a range of steps`,
    {
      remedy:
        'Give it the first and the last step, such as 100..110; the first step of a run is 1.',
    },
  );
}
