import { layoutOf } from '@tutti/parameters';
import {
  type Body,
  DATA_REMEDY,
  dataDifference,
  type JobPlan,
  type Listener,
  type Message,
} from '@tutti/protocol';
import { type JobSettings, resolvePlan } from '@tutti/run';
import {
  type ErrorRecord,
  errorFromRecord,
  errorToRecord,
  TuttiError,
  toTuttiError,
  type Wait,
} from '@tutti/runtime';
import { warningOf } from '@tutti/telemetry';
import type { JobParts } from '../state/job-state.js';
import { type Assignee, assignShards, rebalance, type Shares } from './assignment.js';
import { createNamesakes, type JoinMessage } from './namesakes.js';
import { oddOnes, usualDigest } from './probes.js';
import { createRoster, type Member } from './roster.js';
import type { WorkerTimings } from './timings.js';

/** The workers of a job: who is in, what each computes, and what they are told. */
export interface Membership extends Iterable<Member> {
  size(): number;
  /** One whose name somebody has is refused only when that one has stayed for a while. */
  join(peer: string, message: JoinMessage): void;
  /** @param politely it said goodbye: it is told that all it sent before was taken */
  leave(peer: string, reason: string, politely?: boolean): void;
  /** Does without a worker that hangs; its process is not taken back. */
  drop(worker: string, reason: string): void;
  /** Does without a worker whose gradients are wrong; its process is not taken back. */
  exclude(member: Member, why: TuttiError): void;
  /** Whether a peer has been told why nothing more is read of it. */
  ignores(peer: string): boolean;
  /** Those that are given shards. */
  ready(): readonly Member[];
  /** It has shown its arithmetic: from now on it is given shards, unless it is refused. */
  probed(member: Member, digest: string): void;
  /** Whether the training goes on without it, whatever ails it. */
  spares(member: Member): boolean;
  /** It cannot take part. */
  giveUp(member: Member, error: ErrorRecord): void;
  /** The member that a message really comes from. */
  authenticate(peer: string, message: Message): Member | undefined;
  refuse(peer: string, error: TuttiError): void;
  tell(member: Member, body: Body): void;
  tellAll(body: Body): void;
  /** Tells all how the job has ended. */
  dismiss(farewell: Body): void;
  /**
   * Gives every shard of the step under way to a member, as soon as there are enough.
   * @param rewind whether workers may be further, and must go back
   */
  assign(rewind?: boolean): void;
  /** What does not belong to it was computed, or sent, before the weights went back. */
  era(): string;
  /** Moves shards to where a step is done sooner, if that is worth it. */
  rebalance(): void;
  /** Has a member that is behind do nothing more for steps that are over. */
  catchUp(member: Member): void;
  /** The names of those who compute these shards. */
  ownersOf(shards: readonly number[]): string;
  /** Waits for as many as the job starts with. */
  gather(): Promise<void>;
  /** Whether there are as many as must be there. */
  enough(): boolean;
  /** More must come before the training goes on. */
  shortage(): Wait;
  /** Somebody must come before anything can go on. */
  anyone(what: string): Wait;
}

export function createMembership(
  init: JobParts & {
    readonly listener: Listener;
    readonly settings: JobSettings;
    /** How many the job starts with. */
    readonly workers: number;
    readonly minWorkers: number;
    /** Refuses a worker whose arithmetic gives other bits than that of most. */
    readonly strict: boolean;
    readonly newId: () => string;
    readonly timings: WorkerTimings;
  },
): Membership {
  const { state, servers, listener, monitor, deadlines, emit, stamp, minWorkers, timings } = init;
  const members = createRoster(init.newId);
  /** The digest that each member's probe gave. */
  const probes = new Map<Member, string>();
  /** Those of whom it was told that their probe is another. */
  const told = new Set<Member>();
  /** The digest that is believed, once the training has begun. */
  let believed: string | undefined;
  /** Peers that may still send what was on its way. */
  const excluded = new Set<string>();
  let generation = 0;
  let era = '';
  let lastLoss = '';

  const tell = (member: Member, body: Body) =>
    listener.send(member.peer, { message: { ...stamp(body), session: member.session } });

  function tellAll(body: Body) {
    for (const member of members) tell(member, body);
  }

  const refuse = (peer: string, error: TuttiError) => {
    listener.send(peer, { message: stamp({ type: 'refused', error: errorToRecord(error) }) });
    emit(warningOf(error, `Refused a peer: ${error.message}`));
  };

  const namesakes = createNamesakes(init.clock, admit);

  function join(peer: string, message: JoinMessage) {
    if (members.hasNamesake(message.worker, message.session)) namesakes.hold(peer, message);
    else admit(peer, message);
  }

  function admit(peer: string, message: JoinMessage) {
    let member: Member;
    try {
      if (state.plan !== undefined) checkProgram(state.plan, message);
      member = members.admit(peer, message, message.session);
    } catch (error) {
      return refuse(peer, toTuttiError(error, 'INTERNAL', 'Cannot admit', 'Report it.'));
    }
    state.plan ??= resolvePlan({
      description: message.description,
      settings: init.settings,
      workers: init.workers,
      servers: servers.width,
    });
    state.layout ??= layoutOf(state.plan);
    tell(member, {
      type: 'welcome',
      worker: member.worker,
      plan: state.plan,
      servers: servers.ranges(state.layout),
    });
    emit({ event: 'worker-joined', worker: member.worker, workers: members.size() });
  }

  function probed(member: Member, digest: string) {
    probes.set(member, digest);
    if (!init.strict) member.ready = true;
    compareProbes();
    if (member.ready && state.ledger !== undefined) assign();
  }

  /** Most are believed: before the training begins, all that it begins with must have probed. */
  function compareProbes() {
    const here = new Set(members);
    for (const member of probes.keys()) if (!here.has(member)) probes.delete(member);
    const begun = state.ledger !== undefined;
    if (!begun && probes.size < init.workers) return;
    const all = [...probes].map(([{ worker, host }, digest]) => ({ worker, host, digest }));
    const right = believed ?? usualDigest(all);
    if (begun) believed = right;
    const odd = oddOnes(all, right);
    for (const member of [...probes.keys()]) {
      const difference = odd.get(member.worker);
      if (difference === undefined) member.ready = true;
      else if (init.strict) {
        refuse(member.peer, difference);
        leave(member.peer, 'its arithmetic differs');
      } else if (!told.has(member)) {
        told.add(member);
        emit(warningOf(difference));
      }
    }
  }

  function leave(peer: string, reason: string, politely = false) {
    namesakes.forget(peer);
    const member = members.remove(peer);
    if (member === undefined) return;
    probes.delete(member);
    told.delete(member);
    const { worker } = member;
    if (politely) tell(member, { type: 'finish' });
    const { ledger } = state;
    emit({ event: 'worker-left', worker, reason, workers: members.size(), politely });
    lastLoss = `; lost ${worker}${ledger ? ` in step ${ledger.version()}` : ''}: ${reason}`;
    timings.gone(worker);
    if (ledger !== undefined && member.ready) assign();
    const namesake = namesakes.take(worker);
    if (namesake !== undefined) join(namesake.peer, namesake.message);
  }

  const assignees = (): Assignee[] =>
    members.ready().map(({ worker, shards }) => ({
      name: worker,
      speed: timings.speed(worker),
      shards,
    }));

  function assign(rewind = false) {
    if (rewind) era = init.newId();
    if (members.ready().length < minWorkers) return;
    give(assignShards(state.plan!.shards, assignees()));
  }

  function give(shares: Shares) {
    generation++;
    for (const member of members.ready()) {
      member.shards = shares.get(member.worker)!;
      announce(member);
    }
  }

  function announce(member: Member) {
    const { shards } = member;
    tell(member, { type: 'assign', generation, step: state.ledger!.version(), shards, era });
  }

  function missing(wanted: number): Wait {
    const deadlineMs = deadlines.joinMs;
    const probing = [...members].filter((member) => !probes.has(member));
    if (members.size() >= wanted)
      return {
        who: `worker ${probing.map(({ worker }) => worker).join(', ')}`,
        what: 'compute a probe gradient',
        remedy: 'See what it says; a slow machine may need a longer --join-deadline-ms.',
        deadlineMs,
      };
    const here = members.size() > 0 ? ` (here: ${members.names().join(', ')})` : '';
    return {
      who: `${wanted - members.size()} of ${wanted} workers`,
      what: `join at ${listener.address}${here}${lastLoss}`,
      remedy: `Start them: tutti worker <program> --coordinator ${listener.address}`,
      deadlineMs,
    };
  }

  return {
    size: members.size,
    join,
    leave,
    probed,
    spares: (member) => !member.ready && state.ledger !== undefined,
    giveUp(member, error) {
      emit(warningOf(errorFromRecord(error)));
      leave(member.peer, 'it cannot take part');
    },
    authenticate: (peer, message) => members.authenticate(peer, message),
    refuse,
    tell,
    tellAll,
    dismiss(farewell) {
      tellAll(farewell);
      namesakes.close();
    },
    drop(worker, reason) {
      const member = [...members].find((each) => each.worker === worker);
      if (member === undefined) return;
      members.ban(
        member,
        new TuttiError('REFUSED', `Worker ${worker} was dropped because it hung`, {
          remedy: 'Start it again.',
        }),
      );
      listener.disconnect(member.peer);
      leave(member.peer, reason);
    },
    exclude(member, why) {
      excluded.add(member.peer);
      members.ban(member, why);
      listener.send(member.peer, {
        message: stamp({ type: 'refused', error: errorToRecord(why) }),
      });
      leave(member.peer, 'its gradients are wrong');
    },
    ignores: (peer) => excluded.has(peer),
    ready: members.ready,
    assign,
    era: () => era,
    rebalance() {
      const shares = rebalance(state.plan!.shards, assignees());
      if (shares !== undefined && members.ready().length >= minWorkers) give(shares);
    },
    catchUp(member) {
      generation++;
      announce(member);
    },
    ownersOf: (shards) =>
      [...new Set(shards.map((shard) => members.owner(shard)?.worker ?? 'nobody'))].join(', '),
    gather: () =>
      monitor.until(
        () => members.ready().length >= init.workers,
        () => missing(init.workers),
      ),
    enough: () => members.ready().length >= minWorkers,
    shortage: () => missing(minWorkers),
    anyone: (what) => ({
      who: 'a worker',
      what,
      remedy: `Start one: tutti worker <program> --coordinator ${listener.address}`,
      deadlineMs: deadlines.joinMs,
    }),
    [Symbol.iterator]: () => members[Symbol.iterator](),
  };
}

/** The first to join need not be of this job, where the servers know it already. */
function checkProgram(plan: JobPlan, { worker, description }: JoinMessage) {
  const { name, hash, data, sharing } = description;
  if (hash !== plan.programHash)
    throw new TuttiError(
      'REFUSED',
      `The job trains program ${plan.programName} (${plan.programHash.slice(0, 12)}), this worker has ${name} (its sources have hash ${hash.slice(0, 12)})`,
      { remedy: 'Give every worker the same program file and the same data.' },
    );
  if (sharing !== plan.sharing)
    throw new TuttiError(
      'REFUSED',
      `The job trains program ${plan.programName} with another sharing of its weights than worker ${worker || 'without a name'} has`,
      { remedy: 'Give every worker the same files: matrices, masks and pretrained weights.' },
    );
  const difference = dataDifference(plan.data, data);
  if (difference === undefined) return;
  throw new TuttiError(
    'REFUSED',
    `The ${difference.set} data of worker ${worker || 'without a name'} are not those of the job: ${difference.what}`,
    { remedy: DATA_REMEDY, details: { worker, ...difference } },
  );
}
