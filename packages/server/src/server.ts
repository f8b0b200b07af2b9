import { createKernels, type Kernels } from '@tutti/kernels';
import {
  type Body,
  type Enclosed,
  type Listener,
  PROTOCOL_VERSION,
  type Transport,
} from '@tutti/protocol';
import {
  type Clock,
  createGathering,
  createMonitor,
  type EventListeners,
  errorToRecord,
  NO_TIMELINE,
  type Running,
  type Stamped,
  start,
  systemClock,
  type Timeline,
} from '@tutti/runtime';
import type { ServerEvent } from './server-event.js';
import type { ServerSettings } from './server-settings.js';
import { createService } from './service.js';
import {
  contenderMs,
  FAREWELL_MS,
  REFUSALS_AT_ONCE,
  REFUSALS_PERIOD_MS,
  RETURN_DEADLINE_MS,
} from './tunables.js';

export interface ServerInit {
  /** Where to listen: `tcp://host:port`, port 0 for a free one. */
  readonly address: string;
  /** What carries its messages: `createZmqTransport()` of @tutti/transport, or one of your own. */
  readonly transport: Transport;
  /** More ways to be reached, for roles in the same process. */
  readonly alsoListen?:
    | readonly { readonly transport: Transport; readonly address: string }[]
    | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: EventListeners<Stamped<ServerEvent>> | undefined;
  readonly clock?: Clock | undefined;
  readonly settings?: ServerSettings | undefined;
  readonly kernels?: Kernels | undefined;
  /** Is told how long the stations of its steps take. */
  readonly timeline?: Timeline | undefined;
}

export interface RunningServer extends Running<Stamped<ServerEvent>, void> {
  /** Where it can be reached, with the real ports: `address` first, then those of `alsoListen`. */
  readonly addresses: readonly string[];
  /** Bytes sent and received on the first address. */
  readonly traffic: Listener['traffic'];
}

export interface Server {
  /**
   * Listens, and serves one job until its coordinator says that it is finished, or that it goes on
   * without this server.
   * @throws TuttiError ADDRESS_UNAVAILABLE
   */
  start(): Promise<RunningServer>;
}

/**
 * A parameter server: holds a range of chunks with their optimizer state, applies the sum of each
 * step to them once, and answers pulls chunk by chunk as soon as it has the version asked for.
 */
export function createServer(init: ServerInit): Server {
  return { start: () => startServer(init) };
}

async function startServer(init: ServerInit): Promise<RunningServer> {
  const { transport, clock = systemClock, kernels = createKernels() } = init;
  const { timeline = NO_TIMELINE } = init;
  const { returnDeadlineMs = RETURN_DEADLINE_MS } = init.settings ?? {};
  const points = [{ transport, address: init.address }, ...(init.alsoListen ?? [])];
  const stopping = new AbortController();
  const monitor = createMonitor({
    clock,
    signal: stopping.signal,
    onWaiting: (report) => emit({ event: 'waiting', ...report }),
  });
  const listeners: Listener[] = [];
  let emit: (event: ServerEvent) => void = () => {};
  const gather = createGathering({
    clock,
    atOnce: REFUSALS_AT_ONCE,
    periodMs: REFUSALS_PERIOD_MS,
  });
  const refused = (peer: string, reason: string) =>
    gather('', (others) => emit({ event: 'refused', peer, reason: `${reason}${others}` }));
  /** Peers of all listeners in one space of names. */
  function broadcast(peers: readonly string[], body: Body, rest: Enclosed = {}) {
    const message = { protocol: PROTOCOL_VERSION, job: service.job() ?? '', session: '', ...body };
    const envelope = { message, ...rest };
    const named = peers.map(split);
    for (const [at, listener] of listeners.entries()) {
      const here = named.flatMap(([point, id]) => (point === at ? id : []));
      if (here.length > 0) listener.broadcast(here, envelope);
    }
  }

  const service = createService({
    ...{ monitor, clock, kernels, timeline, broadcast },
    contenderMs: contenderMs(transport),
    emit: (event) => (event.event === 'refused' ? refused(event.peer, event.reason) : emit(event)),
  });

  try {
    for (const [at, point] of points.entries())
      listeners.push(
        // Unnamed wait: it opens a port of this machine.
        await point.transport.listen(point.address, {
          message: (peer, envelope) => service.receive(`${at}/${peer}`, envelope),
          place: (_peer, message, bytes) => service.place(message, bytes),
          closed: (peer) => service.closed(`${at}/${peer}`),
          full(error) {
            const { message, remedy } = errorToRecord(error);
            emit({ event: 'full', reason: message, remedy });
          },
          stranger: (reason) => refused('a connection', reason),
          badFrame: (peer, reason) => refused(`${at}/${peer}`, reason),
        }),
      );
  } catch (error) {
    // Unnamed wait: connections close within their linger.
    await Promise.all(listeners.map((listener) => listener.close(0)));
    throw error;
  }

  const running = start<ServerEvent, void>(
    async (emitEvent, signal) => {
      emit = emitEvent;
      signal.addEventListener('abort', () => stopping.abort(signal.reason), { once: true });
      if (signal.aborted) stopping.abort(signal.reason);
      try {
        await monitor.until(() => service.finished() || service.hasCoordinator(), {
          who: 'the coordinator',
          what: 'open a job',
          remedy: 'Start it: tutti coordinator --server-addresses …',
        });
        while (!service.finished()) {
          // Weights and versions stay: they are all that a new coordinator needs.
          await monitor.until(
            () => service.finished() || !service.isAttended(),
            () => ({
              who: 'the coordinator',
              what: `go on with job ${service.job()}`,
              remedy: 'See what it waits for: tutti status --coordinator, or its log.',
              heardAt: service.heardAt(),
            }),
          );
          await monitor.until(() => service.finished() || service.isAttended(), {
            who: 'the coordinator',
            what: 'come back',
            remedy: 'Start it again with the same settings: it finds its job here.',
            deadlineMs: returnDeadlineMs,
          });
        }
      } finally {
        service.close();
        // Unnamed wait: connections close within their linger.
        await Promise.all(listeners.map((listener) => listener.close(FAREWELL_MS)));
      }
    },
    { signal: init.signal, onEvent: init.onEvent, clock },
  );
  return Object.assign(running, {
    addresses: listeners.map(({ address }) => address),
    traffic: listeners[0]!.traffic,
  });
}

function split(peer: string): [point: number, id: string] {
  const slash = peer.indexOf('/');
  return [Number(peer.slice(0, slash)), peer.slice(slash + 1)];
}
