import type { Message } from '@tutti/protocol';
import type { Clock } from '@tutti/runtime';
import type { RunEvent, StepEvent } from '@tutti/telemetry';

/** What was seen of a job that its roles do not need, but whoever asks how it is doing does. */
export interface Observations {
  readonly startedAt: number;
  /** The last step that was done. */
  step(): StepEvent | undefined;
  /** How many were done since the coordinator began. */
  stepsDone(): number;
  observe(event: RunEvent): void;
  /** A worker sent and received so much for a step. */
  travelled(bytes: number): void;
  /** What all of them did. */
  wireBytes(): number;
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
  let stepsDone = 0;
  let wireBytes = 0;

  return {
    startedAt,
    step: () => step,
    stepsDone: () => stepsDone,
    observe(event) {
      if (event.event !== 'step') return;
      step = event;
      stepsDone++;
    },
    travelled(bytes) {
      wireBytes += bytes;
    },
    wireBytes: () => wireBytes,
    worker(peer) {
      workers.set(peer, clock.now());
    },
    server(server, message) {
      const seen = servers.get(server) ?? { heardAt: 0, version: undefined };
      servers.set(server, seen);
      seen.heardAt = clock.now();
      if (message.type === 'applied') seen.version = message.step + 1;
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
