import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import type { FinishedEvent, RunEvent } from '@tutti/telemetry';
import { type Command, type Ended, tutti } from './command.js';

export type Role = 'coordinator' | `server-${number}` | `w${number}`;

/** Where a process runs. */
export interface Place {
  /** The host part of the addresses that it listens at. */
  readonly host: string;
  /** A command that runs what follows it there. */
  readonly via: readonly string[];
}

/** One job of which every role is a process of its own, as the command line starts it. */
export interface Cluster {
  /** What the coordinator has told, over all its lives. */
  readonly events: readonly RunEvent[];
  /** Resolves when an event makes this hold, or at once. */
  until(holds: () => boolean): Promise<void>;
  /** SIGKILL, and gone when this resolves. */
  kill(role: Role): Promise<void>;
  /** Starts one that was killed, with what it was started with before. */
  start(role: Role): Promise<void>;
  /** Where one that listens can be reached. */
  address(role: Role): string;
  signal(role: Role, signal: 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void;
  /** How a process that was not killed ends. */
  ended(role: Role): Promise<Ended>;
  /** The job's last word, when all that live have ended by themselves, and well. */
  readonly finished: Promise<FinishedEvent>;
  /** Ends what is left. */
  end(): Promise<void>;
}

export interface ClusterInit {
  readonly program: string;
  /** Where the trained model goes. */
  readonly folder: string;
  readonly workers: number;
  /** `colocated`: one in the process of each worker. */
  readonly servers?: number | 'colocated';
  readonly replicas?: number;
  /** More for the coordinator. */
  readonly flags?: readonly string[];
  readonly place?: (role: Role) => Place;
  /** The key of the job; needed where it listens at other addresses than those of this machine alone. */
  readonly keyFile?: string;
  /**
   * After so much silence somebody counts as gone. Default 3,000: more than that of the product, for
   * machines that are busy.
   */
  readonly patienceMs?: number;
  /** Called with every event as it comes. */
  readonly onEvent?: (event: RunEvent) => void;
}

const HERE: Place = { host: '127.0.0.1', via: [] };

export async function startCluster(init: ClusterInit): Promise<Cluster> {
  const { program, folder, workers, servers = 1, replicas = 0 } = init;
  const { flags = [], place = () => HERE, keyFile, patienceMs = 3000, onEvent } = init;
  const colocated = servers === 'colocated' ? ['--servers', servers] : undefined;
  const patience = ['--heartbeat-deadline-ms', `${patienceMs}`];
  const key = keyFile === undefined ? [] : ['--key-file', keyFile];
  const running = new Map<Role, Command>();
  const addresses = new Map<Role, string>();
  const events: RunEvent[] = [];
  const watchers = new Set<() => void>();
  let finish: (event: FinishedEvent) => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const finished = new Promise<FinishedEvent>((resolve, reject) => {
    [finish, fail] = [resolve, reject];
  });
  // A test that fails for another reason does not look at it.
  finished.catch(() => {});

  function observe(event: RunEvent) {
    events.push(event);
    onEvent?.(event);
    for (const watch of [...watchers]) watch();
    if (event.event === 'finished') settle(event);
  }

  /** Everybody who lives is told by the coordinator, and ends. */
  function settle(event: FinishedEvent) {
    const all = [...running].map(async ([role, { ended }]) => {
      const { code, signal, stderr } = await ended;
      assert.deepEqual([role, code ?? signal], [role, 0], stderr);
    });
    Promise.all(all).then(() => finish(event), fail);
  }

  /** Starts a process; the one that listens tells where before this resolves. */
  async function launch(role: Role, args: readonly string[]): Promise<string> {
    const command = tutti([...args, ...patience, ...key, '--json'], place(role).via, role);
    running.set(role, command);
    void command.ended.then(({ code, signal, stdout, stderr }) => {
      if (running.get(role) !== command || code === 0) return;
      const last = stdout.split('\n').slice(-6).join('\n');
      fail(new Error(`${role} ended with ${code ?? signal}: ${stderr}\n${last}`));
    });
    if (role.startsWith('w')) return '';
    if (role === 'coordinator')
      createInterface({ input: command.process.stdout! }).on('line', (line) => {
        const event = JSON.parse(line);
        if (event.event !== 'listening' && running.get(role) === command) observe(event);
      });
    const line = await command.line((text) => text.startsWith('{"event":"listening"'));
    return JSON.parse(line).address;
  }

  const serverRoles = Array.from(
    { length: servers === 'colocated' ? 0 : servers * (replicas + 1) },
    (_, at) => `server-${at}` as const,
  );
  const workerRoles = Array.from({ length: workers }, (_, at) => `w${at}` as const);

  async function start(role: Role): Promise<void> {
    const listen = addresses.get(role) ?? `tcp://${place(role).host}:0`;
    if (role.startsWith('server')) {
      addresses.set(role, await launch(role, ['server', '--listen', listen]));
    } else if (role === 'coordinator') {
      const known = serverRoles.map((server) => addresses.get(server)!).join(',');
      const where = colocated ?? ['--server-addresses', known];
      const job = [...where, '--checkpoint-dir', folder, '--listen', listen];
      const counts = ['--workers', `${workers}`, '--replicas', `${replicas}`];
      addresses.set(role, await launch(role, ['coordinator', ...job, ...counts, ...flags]));
    } else {
      const coordinator = addresses.get('coordinator')!;
      const own = ['--coordinator', coordinator, '--name', role, ...(colocated ?? [])];
      await launch(role, ['worker', program, ...own]);
    }
  }

  async function kill(role: Role): Promise<void> {
    const command = running.get(role);
    if (command === undefined) return;
    running.delete(role);
    command.process.kill('SIGKILL');
    await command.ended;
  }

  const end = async () => {
    await Promise.all([...running.keys()].map(kill));
  };
  try {
    await Promise.all(serverRoles.map(start));
    await start('coordinator');
    await Promise.all(workerRoles.map(start));
  } catch (error) {
    await end();
    throw error;
  }
  return {
    events,
    until: (holds) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!holds()) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        finished.catch(reject);
        look();
      }),
    kill,
    start,
    address: (role) => addresses.get(role)!,
    signal: (role, signal) => void running.get(role)?.process.kill(signal),
    ended: (role) => running.get(role)!.ended,
    finished,
    end,
  };
}
