import { basename, extname, join } from 'node:path';
import type { Settings } from '@tutti/config';
import {
  type Rank,
  rankFromEnvironment,
  rankText,
  WORKER_NODE_OPTIONS,
  workerEnvironment,
} from '@tutti/launch/internal';
import { type ChildCommand, startCommand } from '../cluster/child-command.js';
import { refuseUnstartedServers } from '../cluster/hosting.js';
import { runsFolder } from '../output/folders.js';
import type { CliContext } from '../process/context.js';
import { DONE } from '../process/exit-codes.js';
import { exitWith } from '../process/reported.js';
import { exitCodeOfSignal } from '../process/stop-signals.js';
import { commandAgain, handedOn } from '../settings/handed-on.js';
import { type Flags, settingsFor } from '../settings/settings.js';
import { NODE_GRACE_MS } from '../tunables.js';

/** What a worker exits with whose job was stopped, if it was told nothing itself. */
const STOPPED = exitCodeOfSignal('SIGINT');
const TERMINATED = exitCodeOfSignal('SIGTERM');

/** What a rank runs, and as whom. */
interface Node {
  readonly path: string;
  readonly flags: Flags;
  readonly settings: Settings;
  readonly rank: Rank;
  /** Which the coordinator, who has no program, would not find beside it. */
  readonly settingsFile: string | undefined;
}

/**
 * `tutti node <program>`: the same command on every rank that a launcher starts. Rank 0 runs the
 * coordinator with a server, and workers; all others run workers alone. What rank 0 exits with is how
 * the job ended.
 */
export async function node(path: string, flags: Flags, context: CliContext): Promise<void> {
  const resolved = await settingsFor('node', flags, context, path);
  const { settings, file } = resolved;
  refuseUnstartedServers(resolved);
  const rank = rankFromEnvironment({ ...context.environment, ...saidByFlags(flags) });
  context.stderr.write(`${rankText(rank)}\n`);
  const self: Node = { path, flags, settings, rank, settingsFile: file?.path };
  // Unnamed wait: each of its processes names its own waits.
  const code = await (rank.rank === 0 ? lead(self, context) : follow(self, context));
  if (code !== DONE) throw exitWith(code);
}

/** Where there is no launcher: flags go before variables. */
function saidByFlags({ rank, workers, coordinator }: Flags): Record<string, string> {
  const said = { TUTTI_RANK: rank, TUTTI_WORKERS: workers, TUTTI_COORDINATOR: coordinator };
  const given = Object.entries(said).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
}

/** Rank 0: the job is its coordinator. */
async function lead(self: Node, { onStop, stderr, startedAs }: CliContext): Promise<number> {
  const coordinator = startCoordinator(self, startedAs);
  const workers = startWorkers(self);
  onStop?.((name) => {
    // Workers are told by it, once it has what it needs of them.
    coordinator.signal(name);
    return true;
  });
  const unfit = workers.map(async (worker) => {
    const code = await failedUnjoined(worker);
    stderr.write('The worker of rank 0 could not begin, so the job ends.\n');
    // It tells the other ranks.
    coordinator.signal('SIGTERM');
    return code;
  });
  try {
    // Unnamed wait: each of them names its own waits.
    return await Promise.race([coordinator.ended, ...unfit]);
  } finally {
    // Unnamed wait: processes end within their grace.
    await Promise.all([coordinator, ...workers].map((child) => child.stop(NODE_GRACE_MS)));
  }
}

/** Any other rank: with what its workers end, the first that failed before all. */
async function follow(self: Node, { onStop }: CliContext): Promise<number> {
  let [drained, interrupted] = [false, false];
  const workers = startWorkers(self);
  onStop?.((name) => {
    if (name === 'SIGINT') interrupted = true;
    else drained = true;
    for (const worker of workers) worker.signal(name);
    return true;
  });
  // Unnamed wait: each of them names its own waits.
  const codes = await Promise.all(workers.map(({ ended }) => ended));
  const { drainedExitCode } = self.settings;
  // Nobody has pressed Ctrl-C here: rank 0 was told to end, and has told the workers.
  if (!interrupted && codes.includes(STOPPED)) drained = true;
  // One that was just starting ends by the signal itself.
  const well = drained ? [DONE, STOPPED, TERMINATED, drainedExitCode] : [DONE];
  return codes.find((code) => !well.includes(code)) ?? (drained ? drainedExitCode : DONE);
}

/**
 * Resolves with the exit code of a worker that has failed before it joined: that of all ranks would, by
 * the same program. One that dies later does not end the job.
 */
async function failedUnjoined(worker: ChildCommand): Promise<number> {
  // Unnamed wait: it names its own waits.
  const code = await worker.ended;
  if (code !== DONE && code < 128 && !worker.joined()) return code;
  // Unnamed wait: it is raced with the end of the job.
  return new Promise(() => {});
}

function startCoordinator(
  { path, flags, settings, rank, settingsFile }: Node,
  startedAs = commandAgain('node', flags, path),
): ChildCommand {
  const { host, port, size } = rank;
  const workers = size * settings.workersPerNode;
  const args = [
    ...['coordinator', '--workers', `${workers}`],
    ...['--listen', `tcp://${isLoopback(host) ? host : '*'}:${port}`, '--advertise', host],
    // Who is lost does not end a job.
    ...(settings.minWorkers === undefined ? ['--min-workers', '1'] : []),
    ...folderOf(path, settings, rank),
    ...(settingsFile === undefined ? [] : ['--config', settingsFile]),
    ...handedOn(flags, 'coordinator', ['workers', 'checkpointDir', 'config']),
  ];
  return startCommand(args, { startedAs });
}

function startWorkers({ path, flags, settings, rank }: Node): ChildCommand[] {
  const { workersPerNode } = settings;
  const leads = rank.rank === 0;
  return Array.from({ length: workersPerNode }, (_, at) =>
    startCommand(
      [
        ...['worker', path, '--coordinator', `tcp://${rank.host}:${rank.port}`],
        ...['--rank', `${rank.rank * workersPerNode + at}`],
        ...handedOn(flags, 'worker', [
          'coordinator',
          'rank',
          ...(leads ? (['json'] as const) : []),
        ]),
      ],
      {
        // What a job says on stdout is its coordinator's.
        ...(leads && { output: 'stderr' }),
        environment: workerEnvironment(process.env),
        nodeOptions: WORKER_NODE_OPTIONS,
      },
    ),
  );
}

/** Tasks of a job array are runs of their own, so each has a folder of its own. */
function folderOf(path: string, { checkpointDir }: Settings, { array }: Rank): string[] {
  const given = checkpointDir === undefined ? [] : ['--checkpoint-dir', checkpointDir];
  if (array === undefined) return given;
  const folder =
    checkpointDir ?? join(runsFolder(basename(path, extname(path))), `array-${array.job}`);
  return ['--checkpoint-dir', join(folder, `task-${array.task}`)];
}

const isLoopback = (host: string) => /^(?:localhost|127\..*|\[::1\])$/.test(host);
