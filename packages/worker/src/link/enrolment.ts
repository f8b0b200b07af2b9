import {
  type Aggregation,
  type Answers,
  type Assign,
  answer,
  type Body,
  type Compute,
  type ConnectFault,
  type CoordinatorToWorker,
  type Enclosed,
  type Envelope,
  type Evaluate,
  type Join,
  keepConnected,
  keyRefusal,
  type Message,
  PROTOCOL_VERSION,
  refusal,
  type ServerRange,
  type Transport,
  unexpected,
  type Verify,
  type Welcome,
  type WorkerToCoordinator,
} from '@tutti/protocol';
import {
  type Clock,
  errorFromRecord,
  errorToRecord,
  type Monitor,
  TuttiError,
} from '@tutti/runtime';
import { FAREWELL_MS } from '../tunables.js';

/** What the coordinator has said, and a way to answer. It outlives the coordinator's process. */
export interface Enrolment {
  /** Absent until the first welcome. */
  welcome(): Welcome | undefined;
  worker(): string;
  job(): string;
  servers(): readonly ServerRange[];
  /** Where contributions go. */
  aggregation(): Aggregation;
  /** Grows with every welcome: what was sent before one may be lost. */
  welcomes(): number;
  /** Generation 0 until the first assignment of this admission. */
  assignment(): Assign;
  /** What others are late with: to be computed once, by anybody. */
  extra(): Compute;
  /** The same of evaluations. */
  extraEvaluation(): Evaluate;
  /** Whether something of this version is to be computed again, for comparison. */
  hasOrder(version: number, attempt: string): boolean;
  /**
   * What is to be computed again of this version; orders of earlier ones are dropped. Those of an attempt
   * that is not followed yet are kept: its first version may be an earlier one.
   */
  takeOrder(version: number, attempt: string): Verify | undefined;
  /** Whether there is a coordinator that has welcomed this worker. */
  present(): boolean;
  /** Why the coordinator cannot be reached, while that is so. */
  fault(): ConnectFault | undefined;
  /** The chunks whose initial values were asked for since the last time. */
  takeInitialize(): readonly number[];
  finished(): boolean;
  initializeWanted(): boolean;
  /** When something was sent last. */
  spokeAt(): number;
  /**
   * Dropped while the coordinator is away: after the next welcome all is computed anew.
   */
  send(body: WorkerToCoordinator, rest?: Enclosed): void;
  stamp(body: Body): Message;
  /** Bytes sent and received. */
  traffic(): number;
  /** Tells the coordinator how this ended, unless it knows, and closes. */
  close(body?: WorkerToCoordinator): Promise<void>;
}

const NOTHING_EXTRA: Compute = { type: 'compute', step: -1, shards: [] };
const NOTHING_MORE: Evaluate = { type: 'evaluate', version: -1, shards: [] };

/** What counts as assigned before the first assignment of an admission. */
export const NO_ASSIGNMENT: Assign = {
  type: 'assign',
  generation: 0,
  step: -1,
  shards: [],
  attempt: '',
};

/**
 * Joins a job and stays in it: when the coordinator goes away it is looked for again, for
 * `returnDeadlineMs`, and joined anew. One that was never there is looked for for `connectDeadlineMs`.
 */
export function enrol(init: {
  readonly address: string;
  readonly join: (worker: string) => Join;
  readonly worker: string;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly monitor: Monitor;
  readonly connectDeadlineMs: number;
  readonly returnDeadlineMs: number;
}): Enrolment {
  const { address, transport, clock, monitor, connectDeadlineMs, returnDeadlineMs } = init;
  let { worker } = init;
  let welcome: (Welcome & Message) | undefined;
  let servers: readonly ServerRange[] = [];
  let assignment = NO_ASSIGNMENT;
  let extra = NOTHING_EXTRA;
  let extraEvaluation = NOTHING_MORE;
  let orders: readonly Verify[] = [];
  let welcomes = 0;
  let initializeWanted: readonly number[] = [];
  let attempt = '';
  let finished = false;
  /** Whether there was anything to do: then the servers know the job. */
  let begun = false;
  /** The coordinator has said its last word. */
  let dismissed = false;
  let present = false;
  /** Since when the coordinator is away; at first, since it was looked for. */
  let awaySince: number | undefined = clock.now();
  let spokeAt = clock.now();

  const stamp = (body: Body): Message => ({
    // First, since V8 gives every object that gets keys after a spread a hidden class of its own.
    protocol: PROTOCOL_VERSION,
    job: welcome?.job ?? '',
    session: welcome?.session ?? '',
    ...body,
  });

  const connection = keepConnected((handlers) => transport.connect(address, handlers), clock, {
    message(envelope) {
      try {
        receive(envelope);
        monitor.notify();
      } catch (error) {
        monitor.fail(error);
      }
    },
    unreached(fault) {
      if (isOutOfPatience()) monitor.fail(unreachable(fault.reason, fault));
    },
    lost,
    again: join,
  });
  join();

  /** What cannot be sent ends this worker, once: nobody else would hear of it in the middle of a timer. */
  function join() {
    try {
      sendJoin();
    } catch (error) {
      dismissed = true;
      monitor.fail(error);
    }
  }

  function sendJoin() {
    // Before the first assignment nobody but that coordinator knew of its job.
    const known = servers.map(({ address: at }) => at);
    const body = { ...init.join(worker), ...(begun && { servers: known }) };
    const message = { ...stamp(body), job: begun ? (welcome?.job ?? '') : '' };
    connection.send({ message });
  }

  const answers: Answers<CoordinatorToWorker, undefined> = {
    welcome(_from, message) {
      welcome = message;
      ({ worker, servers } = message);
      welcomes++;
      assignment = NO_ASSIGNMENT;
      extra = NOTHING_EXTRA;
      extraEvaluation = NOTHING_MORE;
      orders = [];
      initializeWanted = [];
      present = true;
      awaySince = undefined;
    },
    assign(_from, message) {
      begun = true;
      if (message.attempt !== attempt) orders = [];
      attempt = message.attempt;
      if (message.generation > assignment.generation) assignment = message;
    },
    compute(_from, message) {
      const before = extra.step === message.step ? extra.shards : [];
      extra = { ...message, shards: [...before, ...message.shards] };
    },
    evaluate(_from, message) {
      const { version, shards } = extraEvaluation;
      const before = version === message.version ? shards : [];
      extraEvaluation = { ...message, shards: [...before, ...message.shards] };
    },
    verify(_from, message) {
      orders = [...orders, message];
    },
    relocated(_from, message) {
      servers = message.servers;
    },
    initialize(_from, { chunks }) {
      begun = true;
      initializeWanted = [...initializeWanted, ...chunks];
    },
    finish(_from, { error }) {
      dismissed = true;
      if (error !== undefined) throw errorFromRecord(error);
      finished = true;
    },
    refused(_from, { error }) {
      dismissed = true;
      throw errorFromRecord(error);
    },
  };

  function receive(envelope: Envelope) {
    const { message } = envelope;
    const misfit = message.protocol === PROTOCOL_VERSION ? undefined : refusal(message, undefined);
    if (misfit !== undefined) {
      dismissed = true;
      throw misfit;
    }
    if (answer(answers, undefined, envelope)) return;
    const error = errorToRecord(unexpected('worker', message.type, 'coordinator'));
    connection.send({ message: stamp({ type: 'refused', error }) });
  }

  function isOutOfPatience(): boolean {
    if (dismissed || awaySince === undefined) return false;
    const patienceMs = welcome === undefined ? connectDeadlineMs : returnDeadlineMs;
    return clock.now() - awaySince >= patienceMs;
  }

  function unreachable(reason: string, why: ConnectFault | undefined): TuttiError {
    const details = { role: 'coordinator', address };
    if (welcome !== undefined)
      return new TuttiError('PEER_LOST', `The coordinator at ${address} is gone: ${reason}`, {
        remedy: 'See how the coordinator ended, and start the job again.',
        details,
      });
    const seconds = connectDeadlineMs / 1000;
    const message = `No coordinator answered at ${address} within ${seconds} s: ${reason}`;
    const longer = 'One that is started later is waited for longer with --connect-deadline-ms.';
    const remedy = `${why?.remedy ?? 'See whether it runs, and where it listens.'} ${longer}`;
    return new TuttiError('PEER_LOST', message, { remedy, details });
  }

  function lost(reason: string, why?: ConnectFault): boolean {
    if (dismissed) return false;
    present = false;
    awaySince ??= clock.now();
    const refused = keyRefusal(`the coordinator at ${address}`, why);
    if (refused === undefined && !isOutOfPatience()) return true;
    monitor.fail(refused ?? unreachable(reason, why));
    return false;
  }

  return {
    welcome: () => welcome,
    worker: () => worker,
    job: () => welcome?.job ?? '',
    servers: () => servers,
    aggregation: () => welcome?.aggregation ?? 'coordinator',
    welcomes: () => welcomes,
    assignment: () => assignment,
    extra: () => extra,
    extraEvaluation: () => extraEvaluation,
    hasOrder: (version, wanted) =>
      wanted === attempt && orders.some(({ step }) => step === version),
    takeOrder(version, wanted) {
      if (wanted !== attempt) return undefined;
      const found = orders.find(({ step }) => step === version);
      orders = orders.filter((order) => order !== found && order.step >= version);
      return found;
    },
    present: () => present,
    fault: connection.fault,
    finished: () => finished,
    initializeWanted: () => initializeWanted.length > 0,
    takeInitialize() {
      const wanted = initializeWanted;
      initializeWanted = [];
      return wanted;
    },
    spokeAt: () => spokeAt,
    send(body, rest = {}) {
      if (!present) return;
      spokeAt = clock.now();
      connection.send({ message: stamp(body), ...rest });
    },
    stamp,
    traffic: connection.traffic,
    async close(body) {
      if (body !== undefined && !dismissed && present) connection.send({ message: stamp(body) });
      await connection.close(FAREWELL_MS);
    },
  };
}
