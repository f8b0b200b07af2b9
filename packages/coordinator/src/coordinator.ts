import type { ListenHandlers } from '@tutti/protocol';
import type { JobResult } from '@tutti/run';
import { type Running, type Stamped, start } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { checkSettings } from './check-settings.js';
import type { CoordinatorInit } from './coordinator-init.js';
import { createEarlyMessages } from './job/early-messages.js';
import { coordinate } from './job/job.js';

export interface RunningCoordinator extends Running<Stamped<RunEvent>, JobResult> {
  /** Where workers reach it, with the real port. */
  readonly address: string;
}

export interface Coordinator {
  /** @throws TuttiError ADDRESS_UNAVAILABLE, or BAD_CONFIG */
  start(): Promise<RunningCoordinator>;
}

/**
 * The coordinator of one job: admits workers, assigns shards, aggregates gradients along the
 * canonical tree, has the servers apply each sum once, and decides when a step is complete.
 */
export function createCoordinator(init: CoordinatorInit): Coordinator {
  return { start: () => startCoordinator(init) };
}

async function startCoordinator(init: CoordinatorInit): Promise<RunningCoordinator> {
  checkSettings(init.settings, init.servers === 'colocated');
  /** Those of the job, as soon as it is made. */
  let handlers: ListenHandlers | undefined;
  /** What came before that: a worker that looks for its coordinator may be there at once. */
  const early = createEarlyMessages((handling) => handling());
  // Unnamed wait: it opens a port of this machine.
  const listener = await init.transport.listen(init.address, {
    message(peer, envelope) {
      // A payload is gone by then, and comes only from those who were admitted.
      const kept = early.held() ? { message: envelope.message } : envelope;
      early.handle(() => handlers?.message(peer, kept));
    },
    place: (peer, message, bytes) => handlers?.place?.(peer, message, bytes),
    closed: (peer, reason) => early.handle(() => handlers?.closed?.(peer, reason)),
    badFrame: (peer, reason) => early.handle(() => handlers?.badFrame?.(peer, reason)),
    stranger: (reason) => early.handle(() => handlers?.stranger?.(reason)),
    full: (error) => early.handle(() => handlers?.full?.(error)),
  });
  const running = start<RunEvent, JobResult>(
    async (emit, signal) => {
      const job = coordinate(init, listener, emit, signal);
      handlers = job.handlers;
      early.answer();
      return job.run();
    },
    { signal: init.signal, onEvent: init.onEvent, clock: init.clock },
  );
  return Object.assign(running, { address: listener.address });
}
