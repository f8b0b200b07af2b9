import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { TuttiError } from '@tutti/runtime';
import { AGENT_READY, type AgentOrder, type AgentSignal } from '../cluster/agent-order.js';
import { type ChildCommand, startCommand } from '../cluster/child-command.js';
import { holdKey } from '../cluster/nameless-key.js';
import type { CliContext } from '../process/context.js';
import { DONE, FAILED } from '../process/exit-codes.js';
import { exitWith } from '../process/reported.js';
import { ABANDONED_MS, LEFT_OVER_MS } from '../tunables.js';

/**
 * `tutti agent`: the far side of `tutti launch`. What is to be started comes by stdin, so that nobody
 * sees it among the processes, and the end of stdin ends it all.
 */
export async function agent(context: CliContext): Promise<void> {
  const { stdout, stderr, clock } = context;
  const children: ChildCommand[] = [];
  let gone = () => {};
  // Unnamed wait: it ends with the launcher.
  const abandoned = new Promise<number>((resolve) => {
    gone = () => resolve(FAILED);
  });
  let ending = false;
  const end = () => {
    if (children.length === 0) return gone();
    // A second signal would end them without a checkpoint.
    if (ending) return;
    ending = true;
    for (const child of children) child.signal('SIGTERM');
    clock.after(ABANDONED_MS, gone);
  };
  const begin = ({ cwd, environment, ranks, size, args, startedAs, key }: AgentOrder) => {
    enter(cwd);
    stdout.write(`${AGENT_READY}\n`);
    const descriptor = key === undefined ? undefined : holdKey(Buffer.from(key, 'base64'));
    for (const rank of ranks)
      children.push(
        startCommand(['node', ...args], {
          startedAs,
          key: descriptor,
          environment: { ...environment, TUTTI_RANK: `${rank}`, TUTTI_WORKERS: `${size}` },
          output: (stream, line) =>
            (stream === 'stdout' ? stdout : stderr).write(`${rank}\t${line}\n`),
        }),
      );
    // What rank 0 ends with is how the job ended; the others have heard of it.
    return ranks[0] === 0 ? children[0]!.ended : firstFailure(children);
  };
  // Unnamed wait: ranks name their own waits, and the end of the launcher ends this.
  const done = new Promise<number>((resolve, reject) => {
    let begun = false;
    const lines = createInterface({ input: process.stdin }).on('line', (line) => {
      try {
        // Rank 0 tells the others, once it has what it needs of them.
        if (begun) return children[0]!.signal((JSON.parse(line) as AgentSignal).signal);
        begun = true;
        begin(JSON.parse(line)).then(resolve, reject);
      } catch (error) {
        reject(error);
      }
    });
    lines.on('close', end);
  });
  context.onStop?.(() => {
    end();
    return true;
  });
  // Unnamed wait: ranks name their own waits, and the end of the launcher ends this.
  const code = await Promise.race([abandoned, done]);
  // Unnamed wait: processes end within their grace.
  await Promise.all(children.map((child) => child.stop(LEFT_OVER_MS)));
  if (code !== DONE) throw exitWith(code);
}

function enter(folder: string): void {
  if (!existsSync(folder))
    throw new TuttiError('BAD_CONFIG', `There is no folder ${folder} on this host.`, {
      remedy: 'Have the program at the same place on all hosts, and start from its folder.',
    });
  process.chdir(folder);
}

async function firstFailure(children: readonly ChildCommand[]): Promise<number> {
  // Unnamed wait: ranks name their own waits.
  const codes = await Promise.all(children.map(({ ended }) => ended));
  return codes.find((code) => code !== DONE) ?? DONE;
}
