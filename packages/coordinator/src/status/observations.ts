import type { Message } from '@tutti/protocol';
import type { Clock } from '@tutti/runtime';
import type { RunEvent, StepEvent } from '@tutti/telemetry';

/** What was seen of a job that its roles do not need, but whoever asks how it is doing does. */
export interface Observations {
  readonly startedAt: number;
  /** The last step that was done. */
  step(): StepEvent | undefined;
  observe(event: RunEvent): void;
  /** A worker sent and received so much since its last report, until that of this step. */
  travelled(step: number, bytes: number): void;
  /**
   * What all workers sent and received in a step, on average; undefined before there were two. The first
   * that is trained here does not count: the plan and all weights come before it.
   */
  wireBytesPerStep(): number | undefined;
  worker(peer: string): void;
  server(server: number, message: Message): void;
  /** A peer is gone. */
  forget(peer: string): void;
  /** When a worker was heard last, by the clock. */
  workerHeardAt(peer: string): number | undefined;
  serverHeardAt(server: number): number | undefined;
  /** The latest version of which the server said that it holds a chunk. */
  versionOf(server: number): number | undefined;
}

export function createObservations(clock: Clock): Observations {
  const startedAt = clock.now();
  /** When each was heard last. */
  const workers = new Map<string, number>();
  const servers = new Map<number, { heardAt: number; version: number | undefined }>();
  let step: StepEvent | undefined;
  /** Steps since the coordinator began. */
  let stepsDone = 0;
  let firstStep: number | undefined;
  let wireBytes = 0;

  return {
    startedAt,
    step: () => step,
    observe(event) {
      if (event.event !== 'step') return;
      step = event;
      stepsDone++;
    },
    travelled(step, bytes) {
      firstStep ??= step;
      if (step !== firstStep) wireBytes += bytes;
    },
    wireBytesPerStep: () => (stepsDone < 2 ? undefined : Math.round(wireBytes / (stepsDone - 1))),
    worker(peer) {
      workers.set(peer, clock.now());
    },
    server(server, message) {
      const seen = servers.get(server) ?? { heardAt: 0, version: undefined };
      servers.set(server, seen);
      seen.heardAt = clock.now();
      if (message.type === 'applied' || message.type === 'advanced')
        seen.version = message.step + 1;
      else if (message.type === 'stored') seen.version = 0;
      else if (message.type === 'opened') {
        const held = Math.max(...message.versions);
        seen.version = held < 0 ? undefined : held;
      }
    },
    forget: (peer) => void workers.delete(peer),
    workerHeardAt: (peer) => workers.get(peer),
    serverHeardAt: (server) => servers.get(server)?.heardAt,
    versionOf: (server) => servers.get(server)?.version,
  };
}
