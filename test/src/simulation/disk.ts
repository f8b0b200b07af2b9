import type { CheckpointInterval, CheckpointSink, Resume, Snapshot } from '@tutti/run';
import type { Clock } from '@tutti/runtime';
import { createMemoryCheckpoints } from './memory-checkpoints.js';

export type DiskFault = 'full' | 'slow' | 'unreadable';

/** The disk that outlives every coordinator. */
export interface Disk {
  fault: DiskFault | undefined;
  /** Writing was tried while the disk was full. */
  failed(): boolean;
  written(): number;
  /**
   * Where a coordinator writes.
   * @param killed whether it was: then it does not tidy up
   */
  sink(clock: Clock, killed: () => boolean): CheckpointSink;
  /** What `--resume latest` finds; undefined if there is nothing. */
  latest(): Resume | undefined;
}

const SLOW_MS = 8000;

/** @param observe sees every checkpoint that is written */
export function createDisk(
  every: CheckpointInterval | undefined,
  observe: (snapshot: Snapshot) => void,
): Disk {
  const { sink, kept, resume } = createMemoryCheckpoints();
  let failed = false;
  /** The job that a coordinator has begun, until it ends it. */
  let begun: string | undefined;

  const disk: Disk = {
    fault: undefined,
    failed: () => failed,
    written: () => kept.size,
    sink: (clock, killed) => ({
      ...(every && { every }),
      async begin({ job, coordinator }) {
        if (disk.fault !== 'full' && coordinator !== undefined) begun = job;
        return undefined;
      },
      async unfinished() {
        if (begun === undefined || disk.fault === 'unreadable') return undefined;
        const forget = async () => {
          begun = undefined;
        };
        return { job: begun, forget };
      },
      async close() {
        if (!killed()) begun = undefined;
      },
      async write(snapshot, last, emit) {
        observe(snapshot);
        if (disk.fault === 'full') {
          failed = true;
          throw new Error('ENOSPC: no space left on device');
        }
        if (disk.fault === 'slow')
          await new Promise<void>((resolve) => void clock.after(SLOW_MS, resolve));
        return sink.write(snapshot, last, emit);
      },
      async latest(request) {
        if (disk.fault === 'unreadable') throw new Error('EIO: i/o error, read');
        return sink.latest!(request);
      },
    }),
    latest: () => (kept.size === 0 || disk.fault === 'unreadable' ? undefined : resume()),
  };
  return disk;
}
