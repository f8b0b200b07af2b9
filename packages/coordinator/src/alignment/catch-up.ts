import { PROTOCOL_VERSION, refusal, type ServerToCoordinator, type Stamp } from '@tutti/protocol';
import { type Clock, errorFromRecord, type Monitor, type Timer } from '@tutti/runtime';
import { createOptimizer } from '@tutti/store';
import type { RunEvent } from '@tutti/telemetry';
import { chunksIn } from '../servers/holders.js';
import type { Servers } from '../servers/servers.js';
import type { Job } from '../state/job.js';
import type { Awaiting } from '../status/awaiting.js';
import { CATCH_UP_PATIENCE_MS, CATCH_UP_PAUSE_MS } from '../tunables.js';

/**
 * Servers that were given up and are there again, or others in their place, are given what those of their range
 * have: between two steps, so that nothing changes meanwhile. Then they stand by as before.
 */
export interface CatchUp extends Pick<Awaiting, 'awaitsServer'> {
  /** Whether some are there: then no server may go on by itself. */
  due(): boolean;
  /** Gives them the state of the version that all others are at; those that do not take it are left as they were. */
  bring(version: number): Promise<void>;
  /** What one says that was given up. */
  receive(server: number, message: ServerToCoordinator & Stamp): void;
  /** A server sent the state of a chunk: its weights, then its slots. */
  captured(version: number, chunk: number, payload: Uint8Array): void;
  /** Some may have been asked of a server that is gone: asks again. */
  again(): void;
  /** One that was given up is gone again. */
  forget(server: number): void;
}

/** One that is catching up. */
interface Receiver {
  opened: boolean;
  /** Chunks that have not been sent to it, and those that it has not stored. */
  readonly unsent: Set<number>;
  readonly unstored: Set<number>;
  patience: Timer;
}

export function createCatchUp(init: {
  readonly job: Pick<Job, 'plan' | 'layout'>;
  readonly servers: Servers;
  readonly monitor: Monitor;
  readonly clock: Clock;
  readonly emit: (event: RunEvent) => void;
  /** Whether the step under way does not begin: the run ends, or a server has lost its weights. */
  readonly ended: () => boolean;
  /** These have all that the others of their range have, and are told the same from now on. */
  readonly readmitted: (servers: readonly number[], version: number) => void;
}): CatchUp {
  const { servers, monitor, clock, emit } = init;
  const { plan, layout } = init.job;
  const tensors = 1 + createOptimizer(plan.optimizer).slots;
  const receivers = new Map<number, Receiver>();
  /** By address, those that did not take it: when they are tried again, and how long that was put off. */
  const failures = new Map<string, { readonly until: number; readonly pauseMs: number }>();
  let version = -1;

  const addressOf = (server: number) => servers.rangeOf(server).address;
  const candidates = () =>
    servers
      .returned()
      .filter((server) => (failures.get(addressOf(server))?.until ?? 0) <= clock.now());
  const isDone = ({ opened, unstored }: Receiver) => opened && unstored.size === 0;
  const remaining = () => [...receivers].filter(([, receiver]) => !isDone(receiver));

  const patience = (server: number) =>
    clock.after(CATCH_UP_PATIENCE_MS, () => {
      fail(server, `it took nothing for ${CATCH_UP_PATIENCE_MS / 1000} s`);
      monitor.notify();
    });

  function open(server: number) {
    const range = servers.rangeOf(server);
    const { firstChunk, chunks } = range;
    const all = chunksIn(range);
    const [unsent, unstored] = [new Set(all), new Set(all)];
    receivers.set(server, { opened: false, unsent, unstored, patience: patience(server) });
    servers.send(server, { type: 'open', plan, firstChunk, chunks, reset: true });
  }

  function ask(server: number) {
    servers.send(servers.siblings(server)[0]!, { type: 'capture', version, slots: true });
  }

  function forget(server: number) {
    receivers.get(server)?.patience.cancel();
    receivers.delete(server);
  }

  function fail(server: number, why: string) {
    forget(server);
    const address = addressOf(server);
    const pauseMs = 2 * (failures.get(address)?.pauseMs ?? CATCH_UP_PAUSE_MS / 2);
    failures.set(address, { until: clock.now() + pauseMs, pauseMs });
    emit({
      event: 'warning',
      code: 'PEER_LOST',
      message: `${servers.nameOf(server)} was not given what the others of its range have: ${why}`,
      remedy: `Nothing is lost, but nothing may be while it does not stand by. It is tried again in ${pauseMs / 1000} s.`,
    });
  }

  return {
    due: () => candidates().length > 0,
    async bring(at) {
      const since = clock.now();
      version = at;
      for (const server of candidates()) open(server);
      const isOver = () => init.ended() || servers.absent().length > 0;
      await monitor.until(
        () => remaining().length === 0 || isOver(),
        () => ({
          who: remaining()
            .map(([server]) => servers.nameOf(server))
            .join(', '),
          what: `take the weights of version ${version}, to stand by for others`,
          remedy: 'See what they say.',
        }),
      );
      const done = isOver() ? [] : [...receivers.keys()];
      for (const server of [...receivers.keys()]) forget(server);
      if (done.length === 0) return;
      for (const server of done) {
        const address = addressOf(server);
        failures.delete(address);
        servers.readmit(server);
        emit({ event: 'server-caught-up', address, step: version, ms: clock.now() - since });
      }
      init.readmitted(done, version);
    },
    receive(server, message) {
      const receiver = receivers.get(server);
      if (receiver === undefined) return;
      if (message.protocol !== PROTOCOL_VERSION)
        return fail(server, refusal(message, message.job)!.message);
      if (message.type === 'refused') return fail(server, errorFromRecord(message.error).message);
      if (message.type === 'opened' && !receiver.opened) {
        receiver.opened = true;
        ask(server);
      } else if (message.type === 'stored') receiver.unstored.delete(message.chunk);
      else return;
      receiver.patience.cancel();
      if (!isDone(receiver)) receiver.patience = patience(server);
    },
    captured(of, chunk, payload) {
      if (of !== version || payload.byteLength !== 4 * tensors * layout.chunkLength(chunk)) return;
      for (const [server, { opened, unsent }] of receivers) {
        if (!opened || !unsent.delete(chunk)) continue;
        servers.send(server, { type: 'restore', chunk, version }, payload.slice());
      }
    },
    again() {
      for (const [server, { opened }] of remaining()) if (opened) ask(server);
    },
    forget,
    awaitsServer: (server) =>
      receivers.has(server) ? `take the weights of version ${version}` : undefined,
  };
}
