import { randomBytes } from 'node:crypto';
import { DEFAULT_COORDINATOR, type Settings } from '@tutti/config';
import { readKeyFile } from '@tutti/transport';
import { connectHost, type HostConnection } from '../cluster/host-connection.js';
import { hostRanks } from '../cluster/host-ranks.js';
import { refuseUnstartedServers } from '../cluster/hosting.js';
import type { CliContext } from '../process/context.js';
import { DONE } from '../process/exit-codes.js';
import { exitWith } from '../process/reported.js';
import { commandAgain, handedOn } from '../settings/handed-on.js';
import { type Flags, settingsFor } from '../settings/settings.js';
import { HOST_END_MS, NODE_GRACE_MS } from '../tunables.js';

/** Each host has files of its own, and rank 0 is where the first one is. */
const OF_THIS_HOST = [
  'TUTTI_CACHE',
  'TUTTI_RANK',
  'TUTTI_WORKERS',
  'TUTTI_COORDINATOR',
  'TUTTI_KEY_FILE',
  'TUTTI_ADVERTISE',
];

/**
 * `tutti launch <program>`: starts `tutti node` on hosts over ssh, and ends with the exit code of rank 0.
 * However this process ends, nothing stays on them.
 */
export async function launch(path: string, flags: Flags, context: CliContext): Promise<void> {
  const resolved = await settingsFor('launch', flags, context, path);
  const { settings, sources } = resolved;
  refuseUnstartedServers(resolved);
  const hosts = hostRanks(settings);
  const size = hosts.reduce((sum, { ranks }) => sum + ranks.length, 0);
  const first = hosts[0]!.host.replace(/^.*@/, '');
  const address =
    sources.coordinator === 'default'
      ? DEFAULT_COORDINATOR.replace('127.0.0.1', first.includes(':') ? `[${first}]` : first)
      : settings.coordinator;
  const { json, ssh, remoteTutti } = settings;
  // Unnamed wait: a small file of this machine.
  const key = await keyOf(settings);
  const connections = hosts.map(({ host, ranks }) =>
    connectHost({
      ...{ host, ssh, remoteTutti },
      order: {
        ...{ ranks, size },
        ...(key !== undefined && { key }),
        cwd: process.cwd(),
        environment: { ...settingsIn(context.environment), TUTTI_COORDINATOR: address },
        startedAs: commandAgain('launch', flags, path),
        args: [path, ...handedOn(flags, 'node', ['coordinator', 'keyFile'])],
      },
      onLine(rank, stream, line) {
        // What scripts read is what rank 0 writes there.
        const events = json && rank === 0 && stream === 'stdout';
        const { stdout, stderr } = context;
        const to = events || (!json && stream === 'stdout') ? stdout : stderr;
        to.write(`${events ? '' : `[${rank === undefined ? '' : `${rank} `}${host}] `}${line}\n`);
      },
    }),
  );
  const code = await untilEnded(connections, context);
  if (code !== DONE) throw exitWith(code);
}

/** Resolves with what rank 0 ended with, when nothing is left anywhere. */
async function untilEnded(
  connections: readonly HostConnection[],
  { onStop, clock, stderr }: CliContext,
): Promise<number> {
  const [lead, ...others] = connections;
  onStop?.((name) => {
    lead!.signal(name);
    return true;
  });
  const unstarted = others.map(async ({ ended, host }) => {
    // Unnamed wait: ranks name their own waits.
    const code = await ended;
    if (code !== DONE) stderr.write(`[${host}] ended with exit code ${code}; the job goes on\n`);
    // Unnamed wait: it is raced with the end of rank 0.
    return new Promise<never>(() => {});
  });
  const all = Promise.allSettled(connections.map(({ ended }) => ended));
  let failed = true;
  try {
    // Unnamed wait: ranks name their own waits.
    const code = await Promise.race([lead!.ended, ...unstarted]);
    failed = false;
    return code;
  } finally {
    const hangUp = () => {
      for (const each of connections) each.hangUp();
    };
    if (failed) hangUp();
    const timers = [
      clock.after(NODE_GRACE_MS, hangUp),
      clock.after(NODE_GRACE_MS + HOST_END_MS, () => {
        for (const each of connections) each.kill();
      }),
    ];
    // Unnamed wait: the far side ends within its grace, and its connection with it.
    await all;
    for (const timer of timers) timer.cancel();
  }
}

/** A job over ssh has a key: the one that was given, or a new one. */
async function keyOf({ keyFile, insecure }: Settings): Promise<string | undefined> {
  if (keyFile === undefined) return insecure ? undefined : randomBytes(32).toString('base64');
  // Unnamed wait: a small file of this machine.
  return Buffer.from(await readKeyFile(keyFile)).toString('base64');
}

/** What was set by variables here counts there, too. */
function settingsIn(environment: NodeJS.ProcessEnv): Record<string, string> {
  const set = Object.entries(environment).filter(
    ([name, value]) =>
      name.startsWith('TUTTI_') && !OF_THIS_HOST.includes(name) && value !== undefined,
  );
  return Object.fromEntries(set) as Record<string, string>;
}
