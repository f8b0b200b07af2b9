import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { TuttiError } from '@tutti/runtime';
import { quoted } from '../process/interruption.js';
import { AGENT_READY, type AgentOrder, type AgentSignal } from './agent-order.js';
import type { OnLine } from './child-command.js';

/** The ranks of one host, at the other end of ssh. */
export interface HostConnection {
  readonly host: string;
  /** Resolves with the exit code of what ran there; 255 if the connection was lost. */
  readonly ended: Promise<number>;
  signal(name: NodeJS.Signals): void;
  /** Says that the launcher is gone. */
  hangUp(): void;
  /** Ends the ssh client. */
  kill(): void;
}

/** Nobody is there to answer a question; a host or network that is gone is noticed within 15 s. */
const OPTIONS = [
  'BatchMode=yes',
  'ConnectTimeout=10',
  'ServerAliveInterval=5',
  'ServerAliveCountMax=3',
].flatMap((option) => ['-o', option]);

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

/**
 * Starts ranks on a host.
 * @param init.ssh the client, and options that go before those given here
 * @param init.remoteTutti the command there; undefined means this one, at the same place
 * @throws (by `ended`) TuttiError CHILD_DIED if nothing could be started there
 */
export function connectHost(init: {
  readonly host: string;
  readonly ssh: string;
  readonly remoteTutti: string | undefined;
  readonly order: AgentOrder;
  /** Hears what a rank writes; undefined is the host itself. */
  readonly onLine: (rank: number | undefined, ...said: Parameters<OnLine>) => void;
}): HostConnection {
  const { host, ssh, remoteTutti, order, onLine } = init;
  const [file, ...given] = ssh.split(/\s+/);
  const command = remoteTutti ?? `${quoted(process.execPath)} ${quoted(MAIN)}`;
  const child = spawn(file!, [...given, ...OPTIONS, '-T', '--', host, `exec ${command} agent`], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // What a terminal sends is the launcher's.
    detached: true,
  });
  let ready = false;
  let last = '';
  for (const stream of ['stdout', 'stderr'] as const)
    createInterface({ input: child[stream] }).on('line', (line) => {
      if (stream === 'stdout' && line === AGENT_READY) {
        ready = true;
        return;
      }
      const [, rank, text] = /^(\d+)\t(.*)$/.exec(line) ?? [];
      if (rank !== undefined && ready) return onLine(Number(rank), stream, text!);
      last = line;
      onLine(undefined, stream, line);
    });
  const tell = (words: AgentOrder | AgentSignal) => child.stdin.write(`${JSON.stringify(words)}\n`);
  // It may have ended before it has read this, which its exit code tells.
  child.stdin.on('error', () => {});
  tell(order);
  // Unnamed wait: ranks name their own waits.
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', ({ message }) => reject(unstarted(host, message)));
    child.once('close', (code, signal) => {
      const ending = code ?? 128 + constants.signals[signal!];
      if (ready) return resolve(ending);
      reject(
        unstarted(
          host,
          `${file} ended with ${signal ?? `exit code ${code}`}${last && `: ${last}`}`,
        ),
      );
    });
  });
  ended.catch(() => {});
  return {
    host,
    ended,
    signal: (signal) => void tell({ signal }),
    hangUp: () => void child.stdin.end(),
    kill: () => void child.kill('SIGKILL'),
  };
}

function unstarted(host: string, why: string): TuttiError {
  return new TuttiError('CHILD_DIED', `Nothing could be started on ${host}: ${why}`, {
    remedy: `See that \`ssh ${host} true\` asks for nothing, and that Node.js and Tutti are at the same place there, or give --remote-tutti.`,
    details: { host },
  });
}
