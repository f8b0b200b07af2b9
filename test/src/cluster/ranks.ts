import type { RunEvent } from '@tutti/telemetry';
import { type Command, type Ended, tutti } from '../processes/command.js';

/** `tutti node` on this machine, as rank so and so of so many. */
export function startRank(init: {
  readonly rank: number;
  readonly size: number;
  readonly port: number;
  readonly args: readonly string[];
  /** Variables besides those that say the rank. */
  readonly environment?: Readonly<Record<string, string>>;
}): Command {
  const { rank, size, port, args, environment } = init;
  const variables = {
    TUTTI_RANK: `${rank}`,
    TUTTI_WORKERS: `${size}`,
    TUTTI_COORDINATOR: `tcp://127.0.0.1:${port}`,
    ...environment,
  };
  const via = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return tutti(['node', ...args], ['env', ...via], `rank ${rank}`);
}

/** The last event of what rank 0 wrote with --json. */
export function lastEvent({ stdout, stderr }: Pick<Ended, 'stdout' | 'stderr'>): RunEvent {
  const line = stdout.trimEnd().split('\n').at(-1)!;
  try {
    return JSON.parse(line) as RunEvent;
  } catch {
    throw new Error(`The last line is no event: ${line}\n${stderr}`);
  }
}

/** The digest of a job that went well. */
export function digestOf(ended: Pick<Ended, 'stdout' | 'stderr'>): string {
  const last = lastEvent(ended);
  if (last.event === 'finished') return last.digest;
  throw new Error(`It did not finish: ${JSON.stringify(last)}\n${ended.stderr}`);
}
