import { createKernels, type Kernels } from '@tutti/kernels';
import {
  type Body,
  type Envelope,
  type Listener,
  PROTOCOL_VERSION,
  refusal,
  type Transport,
} from '@tutti/protocol';
import {
  type Clock,
  createMonitor,
  errorFromRecord,
  errorToRecord,
  type Running,
  start,
  systemClock,
  TuttiError,
  toTuttiError,
  type WaitReport,
} from '@tutti/runtime';
import { createShelf, type Shelf } from './shelf.js';

export interface ServerInit {
  /** Where to listen: `tcp://host:port`, port 0 for a free one. */
  readonly address: string;
  /** What carries its messages: `createZmqTransport()` of @tutti/transport, or one of your own. */
  readonly transport: Transport;
  /** More ways to be reached, for roles in the same process. */
  readonly alsoListen?: readonly { readonly transport: Transport; readonly address: string }[];
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: ServerEvent) => void;
  readonly clock?: Clock;
  /** How long it keeps the job for a coordinator that is gone. Default 120,000. */
  readonly coordinatorDeadlineMs?: number;
  readonly kernels?: Kernels;
}

export type ServerEvent =
  | { readonly event: 'opened'; readonly job: string; readonly chunks: number }
  | { readonly event: 'refused'; readonly peer: string; readonly reason: string }
  | {
      /** It was given up, and others have its chunks: the job goes on without it, and it ends. */
      readonly event: 'replaced';
      readonly job: string;
      /** Where its chunks are now. */
      readonly by: string;
      readonly reason: string;
    }
  | ({ readonly event: 'waiting' } & WaitReport);

export interface RunningServer extends Running<ServerEvent, void> {
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

/** What a server is told that is believed to have a job. */
const FOR_A_JOB: readonly string[] = ['pull', 'apply', 'store', 'restore', 'capture', 'replaced'];

async function startServer(init: ServerInit): Promise<RunningServer> {
  const { transport, clock = systemClock, kernels = createKernels() } = init;
  const points = [{ transport, address: init.address }, ...(init.alsoListen ?? [])];
  const stopping = new AbortController();
  const monitor = createMonitor({
    clock,
    signal: stopping.signal,
    onWaiting: (report) => emit({ event: 'waiting', ...report }),
  });
  const listeners: Listener[] = [];
  let emit: (event: ServerEvent) => void = () => {};
  let job: string | undefined;
  let coordinator: string | undefined;
  /** One that has asked what is held here, and opens the job once it has its workers. */
  let inquirer: string | undefined;
  /** When the coordinator said something last. */
  let heardAt = clock.now();
  let shelf: Shelf | undefined;
  let finished = false;

  const send = (peer: string, body: Body, payload?: Uint8Array) => broadcast([peer], body, payload);

  /** Peers of all listeners in one space of names. */
  function broadcast(peers: readonly string[], body: Body, payload?: Uint8Array) {
    const message = { protocol: PROTOCOL_VERSION, job: job ?? '', session: '', ...body };
    const envelope = payload === undefined ? { message } : { message, payload };
    const named = peers.map(split);
    for (const [at, listener] of listeners.entries()) {
      const here = named.flatMap(([point, id]) => (point === at ? id : []));
      if (here.length > 0) listener.broadcast(here, envelope);
    }
  }

  const defer = (task: () => void) => void clock.after(0, task);

  function receive(peer: string, { message, payload }: Envelope) {
    if (peer === (coordinator ?? inquirer)) heardAt = clock.now();
    // A server that was started again: the coordinator will find out and give it its weights.
    if (job === undefined && FOR_A_JOB.includes(message.type))
      return send(peer, { type: 'holding' });
    // A coordinator that gives up before it has opened a job: another may come.
    if (job === undefined && message.type === 'finish') return;
    const opening = message.type === 'open' && job === undefined;
    const refused = refusal(message, opening ? message.job : job);
    if (refused !== undefined) {
      emit({ event: 'refused', peer, reason: refused.message });
      return send(peer, { type: 'refused', error: errorToRecord(refused) });
    }
    try {
      switch (message.type) {
        case 'inquire':
          if (peer !== coordinator) inquirer = peer;
          monitor.notify();
          return send(peer, {
            type: 'holding',
            ...(shelf === undefined ? {} : { plan: shelf.plan }),
          });
        case 'open':
          if (shelf === undefined || message.reset === true) {
            shelf?.release();
            job = message.job;
            const { plan, firstChunk, chunks } = message;
            shelf = createShelf({ plan, firstChunk, chunks, kernels, send, broadcast, defer });
            emit({ event: 'opened', job, chunks: message.chunks });
          }
          coordinator = peer;
          inquirer = undefined;
          heardAt = clock.now();
          monitor.notify();
          return send(peer, { type: 'opened', versions: shelf.versions() });
        case 'store':
          opened().store(message.chunk, payload!);
          return send(peer, { type: 'stored', chunk: message.chunk });
        case 'restore':
          opened().restore(message, payload!);
          return send(peer, { type: 'stored', chunk: message.chunk });
        case 'capture':
          return opened().capture(peer, message);
        case 'apply':
          opened().apply(message, payload!);
          return send(peer, { type: 'applied', step: message.step, chunk: message.chunk });
        case 'pull':
          return opened().pull(peer, message.version);
        case 'replaced':
          // One that was taken for dead and was not must not end what its successor works with.
          if (coordinator !== undefined && peer !== coordinator) return;
          finished = true;
          send(peer, { type: 'leave' });
          emit({ event: 'replaced', job: job!, by: message.by, reason: message.reason });
          return monitor.notify();
        case 'finish':
          // Only the coordinator ends the job.
          if (peer !== coordinator) return;
          finished = true;
          if (message.error !== undefined) monitor.fail(errorFromRecord(message.error));
          return monitor.notify();
        default:
          return send(peer, {
            type: 'refused',
            error: errorToRecord(
              new TuttiError('REFUSED', `A server takes no message of type ${message.type}`, {
                remedy: 'Check which address belongs to the server and which to the coordinator.',
              }),
            ),
          });
      }
    } catch (thrown) {
      const error = toTuttiError(
        thrown,
        'INTERNAL',
        `Message ${message.type} failed`,
        'Report it.',
      );
      send(peer, { type: 'refused', error: errorToRecord(error) });
    }
  }

  function opened(): Shelf {
    if (shelf !== undefined) return shelf;
    throw new TuttiError('REFUSED', 'The server has no job yet', {
      remedy: 'Start the coordinator; it opens the job.',
    });
  }

  try {
    for (const [at, point] of points.entries())
      listeners.push(
        // Unnamed wait: it opens a port of this machine.
        await point.transport.listen(point.address, {
          message: (peer, envelope) => receive(`${at}/${peer}`, envelope),
          closed(peer) {
            const name = `${at}/${peer}`;
            shelf?.forget(name);
            if (name === inquirer) inquirer = undefined;
            else if (name === coordinator) coordinator = undefined;
            else return;
            monitor.notify();
          },
          stranger: (reason) => emit({ event: 'refused', peer: 'a stranger', reason }),
          badFrame: (peer, reason) => emit({ event: 'refused', peer: `${at}/${peer}`, reason }),
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
        await monitor.until(() => finished || coordinator !== undefined, {
          who: 'the coordinator',
          what: 'open a job',
          remedy: 'Start it: tutti coordinator --server-addresses …',
        });
        while (!finished) {
          // Weights and versions stay: they are all that a new coordinator needs.
          await monitor.until(
            () => finished || (coordinator ?? inquirer) === undefined,
            () => ({
              who: 'the coordinator',
              what: `go on with job ${job}`,
              remedy: 'See what it waits for: tutti status --coordinator, or its log.',
              heardAt,
            }),
          );
          await monitor.until(() => finished || (coordinator ?? inquirer) !== undefined, {
            who: 'the coordinator',
            what: 'come back',
            remedy: 'Start it again with the same settings: it finds its job here.',
            deadlineMs: init.coordinatorDeadlineMs ?? 120_000,
          });
        }
      } finally {
        // Unnamed wait: connections close within their linger.
        await Promise.all(listeners.map((listener) => listener.close(1000)));
      }
    },
    { signal: init.signal, onEvent: init.onEvent },
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
