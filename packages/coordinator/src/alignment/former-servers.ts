import type { ProgramDescription } from '@tutti/protocol';
import type { CheckpointSink } from '@tutti/run';
import type { Clock, Monitor } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import type { Servers } from '../servers/servers.js';
import { HOST_PATIENCE_MS } from '../tunables.js';
import { withPatience } from './with-patience.js';

/**
 * The servers that held the job of a coordinator that was killed, in the processes of its workers. Where these
 * are cut off just then, others may be there before them, whose servers hold nothing.
 */
export interface FormerServers {
  /**
   * Nobody who was asked holds a job. If this coordinator comes after one that was killed, waits for somebody who
   * knows where the weights are: as long as for a server that is cut off, from the start of this coordinator.
   * @returns whether others hold the ranges now, who must be asked in their turn
   */
  returned(): Promise<boolean>;
}

export function createFormerServers(init: {
  readonly hosts: Pick<Servers['hosts'], 'remembered' | 'restore'>;
  readonly sink: Pick<CheckpointSink, 'unfinished'> | undefined;
  /** Where workers reach this coordinator. */
  readonly address: string;
  /** The program of the first worker that came. */
  readonly described: () => ProgramDescription | undefined;
  readonly monitor: Monitor;
  readonly clock: Clock;
  readonly emit: (event: RunEvent) => void;
}): FormerServers {
  const { hosts, sink, address, described, monitor, clock, emit } = init;
  const end = clock.now() + HOST_PATIENCE_MS;

  async function unfinished() {
    const description = described();
    if (description === undefined) return undefined;
    const { name: programName, hash: programHash } = description;
    const request = { programName, programHash, coordinator: address };
    return monitor.race(sink?.unfinished?.(request), record('say whether a run was cut short'));
  }

  /** Until somebody knows the servers, or their time is over. */
  const awaitWorkers = (job: string) =>
    withPatience(end - clock.now(), init, (isOver) =>
      monitor.until(() => isOver() || hosts.remembered(), {
        who: `the workers of job ${job}, whose coordinator at ${address} was killed,`,
        what: 'come back with the servers that they host',
        remedy: `Nothing needs to be done: after ${HOST_PATIENCE_MS / 1000} s the run goes on without them.`,
      }),
    );

  return {
    async returned() {
      if (hosts.remembered()) return hosts.restore();
      const left = await unfinished();
      if (left === undefined) return false;
      // Unnamed wait: it is named within.
      await awaitWorkers(left.job);
      if (hosts.remembered()) return hosts.restore();
      await monitor.race(left.forget(), record('take note that nobody came back'));
      emit({
        event: 'warning',
        code: 'PEER_LOST',
        message: `No worker of job ${left.job}, whose coordinator at ${address} was killed, has come back within ${HOST_PATIENCE_MS / 1000} s: what their servers held beyond the last checkpoint is given up`,
        remedy:
          'Use --resume latest to go on from the last checkpoint; see whether the hosts of those workers can reach the coordinator.',
      });
      return false;
    },
  };
}

const record = (what: string) => ({
  who: 'the disk',
  what,
  remedy: 'See whether the folder of checkpoints can be read and written.',
});
