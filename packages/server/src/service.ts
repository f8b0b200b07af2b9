import type { Kernels } from '@tutti/kernels';
import {
  type Answers,
  answer,
  type CoordinatorToServer,
  type Envelope,
  type PlacePayload,
  refusal,
  type ServerToCoordinator,
  type ServerToWorker,
  unexpected,
  type WorkerToServer,
} from '@tutti/protocol';
import {
  type Clock,
  errorFromRecord,
  errorToRecord,
  type Monitor,
  TuttiError,
  toTuttiError,
} from '@tutti/runtime';
import type { ServerEvent } from './server-event.js';
import { createShelf, type Shelf } from './shelf.js';

type Incoming = CoordinatorToServer | WorkerToServer;
type Outgoing = ServerToCoordinator | ServerToWorker;

/** What a server does for one job, and for whom. */
export interface Service {
  /** The id of the job; undefined before one is opened. */
  job(): string | undefined;
  receive(peer: string, envelope: Envelope): void;
  /** Where a payload is to be read to. */
  readonly place: PlacePayload;
  /** A peer is gone. */
  closed(peer: string): void;
  /** A coordinator has opened the job, and is there. */
  hasCoordinator(): boolean;
  /** So has one that has only asked what is held here. */
  isAttended(): boolean;
  /** When the coordinator said something last. */
  heardAt(): number;
  /** The job is over, or goes on without this server. */
  finished(): boolean;
}

/** What a server is told that is believed to have a job. */
const FOR_A_JOB: readonly Incoming['type'][] = [
  'pull',
  'apply',
  'store',
  'restore',
  'capture',
  'replaced',
];

export function createService(init: {
  readonly monitor: Monitor;
  readonly clock: Clock;
  readonly kernels: Kernels;
  readonly emit: (event: ServerEvent) => void;
  /** Sends to some peers, as of this job. */
  readonly broadcast: (
    peers: readonly string[],
    body: Outgoing,
    payload?: Uint8Array,
    /** As in an envelope. */
    lent?: () => Uint8Array,
  ) => void;
}): Service {
  const { monitor, clock, kernels, emit, broadcast } = init;
  let job: string | undefined;
  let coordinator: string | undefined;
  /** One that has asked what is held here, and opens the job once it has its workers. */
  let inquirer: string | undefined;
  let heardAt = clock.now();
  let shelf: Shelf | undefined;
  let finished = false;

  const send = (peer: string, body: Outgoing, payload?: Uint8Array) =>
    broadcast([peer], body, payload);
  const defer = (task: () => void) => void clock.after(0, task);

  function opened(): Shelf {
    if (shelf !== undefined) return shelf;
    throw new TuttiError('REFUSED', 'The server has no job yet', {
      remedy: 'Start the coordinator; it opens the job.',
    });
  }

  const answers: Answers<Incoming, string> = {
    inquire(peer) {
      if (peer !== coordinator) inquirer = peer;
      monitor.notify();
      send(peer, { type: 'holding', ...(shelf === undefined ? {} : { plan: shelf.plan }) });
    },
    open(peer, { job: id, plan, firstChunk, chunks, reset }) {
      if (shelf === undefined || reset === true) {
        shelf?.release();
        job = id;
        shelf = createShelf({ plan, firstChunk, chunks, kernels, send, broadcast, defer });
        emit({ event: 'opened', job, chunks });
      }
      coordinator = peer;
      inquirer = undefined;
      heardAt = clock.now();
      monitor.notify();
      send(peer, { type: 'opened', versions: shelf.versions() });
    },
    store(peer, { chunk }, payload) {
      opened().store(chunk, payload);
      send(peer, { type: 'stored', chunk });
    },
    restore(peer, message, payload) {
      opened().restore(message, payload);
      send(peer, { type: 'stored', chunk: message.chunk });
    },
    capture: (peer, message) => opened().capture(peer, message),
    apply(peer, message, payload) {
      opened().apply(message, payload);
      send(peer, { type: 'applied', step: message.step, chunk: message.chunk });
    },
    pull: (peer, { version, until }) => opened().pull(peer, version, until),
    replaced(peer, { job: id, by, reason }) {
      // One that was taken for dead and was not must not end what its successor works with.
      if (coordinator !== undefined && peer !== coordinator) return;
      finished = true;
      send(peer, { type: 'leave' });
      emit({ event: 'replaced', job: id, by, reason });
      monitor.notify();
    },
    finish(peer, { error }) {
      // Only the coordinator ends the job.
      if (peer !== coordinator) return;
      finished = true;
      if (error !== undefined) monitor.fail(errorFromRecord(error));
      monitor.notify();
    },
    // It is not answered by another, or two would go on for ever.
    refused: (peer, { error }) => emit({ event: 'refused', peer, reason: error.message }),
  };

  return {
    job: () => job,
    place: (message, bytes) =>
      message.type === 'apply' && message.job === job
        ? shelf?.landing(message.chunk, bytes)
        : undefined,
    receive(peer, envelope) {
      const { message } = envelope;
      if (peer === (coordinator ?? inquirer)) heardAt = clock.now();
      // A server that was started again: the coordinator will find out and give it its weights.
      if (job === undefined && FOR_A_JOB.includes(message.type as Incoming['type']))
        return send(peer, { type: 'holding' });
      // A coordinator that gives up before it has opened a job: another may come.
      if (job === undefined && message.type === 'finish') return;
      const opening = message.type === 'open' && job === undefined;
      const misfit = refusal(message, opening ? message.job : job);
      if (misfit !== undefined) {
        emit({ event: 'refused', peer, reason: misfit.message });
        if (message.type !== 'refused')
          send(peer, { type: 'refused', error: errorToRecord(misfit) });
        return;
      }
      try {
        if (!answer(answers, peer, envelope)) throw unexpected('server', message.type, 'peer');
      } catch (thrown) {
        const failed = `Message ${message.type} failed`;
        const error = toTuttiError(thrown, 'INTERNAL', failed, 'Report it.');
        send(peer, { type: 'refused', error: errorToRecord(error) });
      }
    },
    closed(peer) {
      shelf?.forget(peer);
      if (peer === inquirer) inquirer = undefined;
      else if (peer === coordinator) coordinator = undefined;
      else return;
      monitor.notify();
    },
    hasCoordinator: () => coordinator !== undefined,
    isAttended: () => (coordinator ?? inquirer) !== undefined,
    heardAt: () => heardAt,
    finished: () => finished,
  };
}
