import type { Kernels } from '@tutti/kernels';
import {
  type Advance,
  type Answers,
  type Apply,
  answer,
  type Capture,
  type CoordinatorToServer,
  type Enclosed,
  type Envelope,
  type Gather,
  type Permit,
  type PlacePayload,
  type Restore,
  refusal,
  type ServerToCoordinator,
  type ServerToWorker,
  type Stamp,
  type Store,
  unexpected,
  type WorkerToServer,
} from '@tutti/protocol';
import {
  type Clock,
  errorFromRecord,
  errorToRecord,
  type Monitor,
  type Timeline,
  TuttiError,
  toTuttiError,
} from '@tutti/runtime';
import { createContenders } from './contenders.js';
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
  /** Nothing is left to be done later. */
  close(): void;
}

/** What a server is told that is believed to have a job. */
const FOR_A_JOB: readonly Incoming['type'][] = [
  'pull',
  'contribution',
  'apply',
  'gather',
  'advance',
  'permit',
  'store',
  'restore',
  'capture',
  'replaced',
];

export function createService(init: {
  readonly monitor: Monitor;
  readonly clock: Clock;
  readonly kernels: Kernels;
  readonly timeline: Timeline;
  /** How long a second coordinator waits for the first to be missed. */
  readonly contenderMs: number;
  readonly emit: (event: ServerEvent) => void;
  /** Sends to some peers, as of this job. */
  readonly broadcast: (peers: readonly string[], body: Outgoing, rest?: Enclosed) => void;
}): Service {
  const { monitor, clock, kernels, timeline, emit, broadcast } = init;
  let job: string | undefined;
  let coordinator: string | undefined;
  /** The token of the coordinator that has opened the job; it outlives its connections. */
  let session = '';
  /** What coordinators call themselves, by peer. */
  const names = new Map<string, string>();
  /** What the one of this session is called. */
  let owner = '';
  /** One that has asked what is held here, and opens the job once it has its workers. */
  let inquirer: { readonly peer: string; readonly session: string } | undefined;
  let heardAt = clock.now();
  let shelf: Shelf | undefined;
  /** What the shelf holds. */
  let range = '';
  let finished = false;

  const send = (peer: string, body: Outgoing, rest?: Enclosed) => broadcast([peer], body, rest);
  const defer = (task: () => void) => void clock.after(0, task);

  function opened(): Shelf {
    if (shelf !== undefined) return shelf;
    throw new TuttiError('REFUSED', 'The server has no job yet', {
      remedy: 'Start the coordinator; it opens the job.',
    });
  }

  const contenders = createContenders({
    clock,
    patienceMs: init.contenderMs,
    admit: tellHolding,
    refuse: (peer) => refuse(peer, taken(peer)),
  });

  const nameOf = (peer: string) => names.get(peer) ?? `peer ${peer}`;

  function tellHolding(peer: string, asking: string) {
    if (peer !== coordinator) inquirer = { peer, session: asking };
    monitor.notify();
    send(peer, { type: 'holding', ...(shelf === undefined ? {} : { plan: shelf.plan }) });
  }

  /** Whether another coordinator is there than the one that says this. */
  const isTakenFrom = (stamp: Stamp) =>
    coordinator !== undefined
      ? stamp.session !== session
      : inquirer !== undefined && stamp.session !== inquirer.session;

  function taken(peer: string): TuttiError {
    const holder = coordinator === undefined && inquirer ? nameOf(inquirer.peer) : owner;
    return new TuttiError(
      'REFUSED',
      `This server works for ${holder}, which is there, and cannot work for ${nameOf(peer)} too`,
      { remedy: 'Give each job servers of its own, or end the other coordinator.' },
    );
  }

  function nobody(peer: string): TuttiError {
    return new TuttiError(
      'REFUSED',
      `${nameOf(peer)} would open a job, and does not say which, or in whose name`,
      { remedy: 'Use a coordinator of this version of Tutti.' },
    );
  }

  function refuse(peer: string, error: TuttiError) {
    emit({ event: 'refused', peer, reason: error.message });
    send(peer, { type: 'refused', error: errorToRecord(error) });
  }

  /** What is held here is changed, and captured, by the coordinator alone. */
  function ofCoordinator<M extends Incoming, P>(
    handle: (shelf: Shelf, peer: string, message: M & Stamp, payload: P) => void,
  ) {
    return (peer: string, message: M & Stamp, payload: P) => {
      if (message.session === session) return handle(opened(), peer, message, payload);
      const what = `A message of type ${message.type} came from ${nameOf(peer)}`;
      const error = new TuttiError('REFUSED', `${what}, and only ${owner} may send it`, {
        remedy: 'End the processes that are left over from another run.',
      });
      refuse(peer, error);
    };
  }

  const answers: Answers<Incoming, string> = {
    inquire(peer, message) {
      if (message.by !== undefined) names.set(peer, message.by);
      if (isTakenFrom(message)) contenders.hold(peer, message.session);
      else tellHolding(peer, message.session);
    },
    open(peer, message) {
      const { plan, firstChunk, chunks, reset } = message;
      if (isTakenFrom(message)) return refuse(peer, taken(peer));
      if (message.session === '' || message.job === '') return refuse(peer, nobody(peer));
      // By a coordinator that has its servers in another order, or by one that takes this for another.
      const asked = `${firstChunk} ${chunks}`;
      if (shelf === undefined || reset === true || asked !== range) {
        // Before anything is let go: it may be refused.
        const held = { plan, firstChunk, chunks, kernels, timeline };
        const next = createShelf({ ...held, send, broadcast, defer });
        shelf?.release();
        shelf = next;
        range = asked;
        job = message.job;
        emit({ event: 'opened', job, chunks });
      }
      // Those whom another has admitted are not those of this one.
      if (message.session !== session) shelf.aggregator.stop();
      coordinator = peer;
      session = message.session;
      owner = nameOf(peer);
      inquirer = undefined;
      heardAt = clock.now();
      monitor.notify();
      send(peer, { type: 'opened', versions: shelf.versions() });
    },
    store: ofCoordinator((held, peer, { chunk }: Store, payload: Uint8Array) => {
      held.store(chunk, payload);
      send(peer, { type: 'stored', chunk });
    }),
    restore: ofCoordinator((held, peer, message: Restore, payload: Uint8Array) => {
      held.restore(message, payload);
      send(peer, { type: 'stored', chunk: message.chunk });
    }),
    capture: ofCoordinator((held, peer, message: Capture) => held.capture(peer, message)),
    apply: ofCoordinator((held, peer, message: Apply, payload: Uint8Array) => {
      const { step, chunk } = message;
      if (held.apply(message, payload)) send(peer, { type: 'applied', step, chunk });
    }),
    gather: ofCoordinator((held, peer, message: Gather) => held.aggregator.gather(peer, message)),
    permit: ofCoordinator((held, _peer, message: Permit) => held.aggregator.permit(message)),
    advance: ofCoordinator((held, peer, message: Advance) => {
      const advanced = held.advance(message);
      if (advanced !== undefined) send(peer, advanced);
    }),
    contribution: (peer, message, payload) =>
      opened().aggregator.contribute(peer, message.session, message, payload),
    pull: (peer, { version, until }) => opened().pull(peer, version, until),
    replaced(peer, { job: id, by, reason }) {
      // One that was taken for dead and was not must not end what its successor works with.
      if (coordinator !== undefined && peer !== coordinator) return;
      finished = true;
      send(peer, { type: 'leave' });
      emit({ event: 'replaced', job: id, by, reason });
      monitor.notify();
    },
    finish(_peer, { error, session: said }) {
      // Only the coordinator ends the job.
      if (said !== session) return;
      finished = true;
      if (error !== undefined) monitor.fail(errorFromRecord(error));
      monitor.notify();
    },
    // It is not answered by another, or two would go on for ever.
    refused: (peer, { error }) => emit({ event: 'refused', peer, reason: error.message }),
  };

  return {
    job: () => job,
    place(message, bytes) {
      if (message.job !== job) return undefined;
      if (message.type === 'contribution')
        return shelf?.aggregator.landing(message, message.session, bytes);
      return message.type === 'apply' && message.session === session
        ? shelf?.landing(message.chunk, bytes)
        : undefined;
    },
    receive(peer, envelope) {
      const { message } = envelope;
      if (peer === (coordinator ?? inquirer?.peer)) heardAt = clock.now();
      // A server that was started again: the coordinator will find out and give it its weights.
      if (job === undefined && FOR_A_JOB.includes(message.type as Incoming['type']))
        return send(peer, { type: 'holding' });
      // A coordinator that gives up before it has opened a job: another may come.
      if (job === undefined && message.type === 'finish') return;
      const opening = message.type === 'open' && job === undefined;
      const misfit = refusal(message, opening ? message.job : job);
      if (misfit !== undefined) {
        if (message.type !== 'refused') refuse(peer, misfit);
        else emit({ event: 'refused', peer, reason: misfit.message });
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
      names.delete(peer);
      contenders.forget(peer);
      if (peer === inquirer?.peer) inquirer = undefined;
      else if (peer === coordinator) coordinator = undefined;
      else return;
      // Nobody comes in beside one that is back on another connection.
      if ((coordinator ?? inquirer) === undefined) contenders.admit();
      monitor.notify();
    },
    hasCoordinator: () => coordinator !== undefined,
    isAttended: () => (coordinator ?? inquirer) !== undefined,
    heardAt: () => heardAt,
    finished: () => finished,
    close: contenders.close,
  };
}
