import type {
  Aggregation,
  CoordinatorToWorker,
  JobPlan,
  Listener,
  Message,
  ProgramDescription,
  ServerRange,
} from '@tutti/protocol';
import type { Clock } from '@tutti/runtime';
import {
  type ErrorRecord,
  errorFromRecord,
  type Monitor,
  TuttiError,
  type Wait,
} from '@tutti/runtime';
import { type RunEvent, warningOf } from '@tutti/telemetry';
import type { WorkerObserver } from '../coordinator-init.js';
import type { Deadlines } from '../coordinator-settings.js';
import type { Servers } from '../servers/servers.js';
import type { Job } from '../state/job.js';
import type { Ledger } from '../state/ledger.js';
import type { CrewSize } from './crew-size.js';
import type { Mail } from './mail.js';
import { createNamesakes, type JoinMessage } from './namesakes.js';
import { createProbes } from './probes.js';
import { createRoster, type Member } from './roster.js';
import { createShardAssigner, type ShardAssigner } from './shard-assigner.js';
import { awaitAnyone, awaitWorkers, startHost } from './shortage.js';
import type { WorkerTimings } from './timings.js';

/** The workers of a job: who is in, what each computes, and what they are told. */
export interface Membership extends Iterable<Member>, ShardAssigner {
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
  /** Those that are given shards: the same array until one of them comes, goes or is given others. */
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
  tell(member: Member, body: CoordinatorToWorker): void;
  tellAll(body: CoordinatorToWorker): void;
  /** Tells all how the job has ended. */
  dismiss(farewell: CoordinatorToWorker): void;
  /** The names of those who compute these shards. */
  ownersOf(shards: readonly number[]): string;
  /**
   * Waits for as many as the job starts with, or must have if it was under way already.
   * @param stopping whether nobody is needed any more
   */
  gather(stopping: () => boolean, underWay: boolean): Promise<void>;
  /** Whether there are as many as must be there. */
  enough(): boolean;
  /** More must come before the training goes on. */
  shortage(): Wait;
  /** Somebody must come before anything can go on. */
  anyone(what: string): Wait;
  /** How a worker is started whose process hosts a server. */
  startHost(): string;
}

export function createMembership(init: {
  readonly listener: Pick<Listener, 'address' | 'disconnect'>;
  readonly mail: Mail;
  readonly monitor: Monitor;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly emit: (event: RunEvent) => void;
  readonly observer: WorkerObserver | undefined;
  readonly timings: WorkerTimings;
  readonly crewSize: CrewSize;
  /** How long who comes with the name of one who is there waits for that one to be missed. */
  readonly namesakeMs: number;
  /** What is made of the servers that workers host. */
  readonly hosts: Pick<Servers['hosts'], 'admitted' | 'hung'>;
  /** Refuses a worker whose arithmetic gives other bits than that of most. */
  readonly strict: boolean;
  readonly newId: () => string;
  /** The plan of the job, as soon as it is settled. */
  readonly plan: () => JobPlan | undefined;
  /** The job, which is settled by the first program if it is not yet. */
  readonly settle: (description: ProgramDescription) => Job;
  /** Where the weights of the job are. */
  readonly servers: (job: Job) => readonly ServerRange[];
  /** Where contributions go. */
  readonly aggregation: Aggregation;
  /** A worker that was given shards is gone, perhaps in the middle of something: has others given them. */
  readonly lost: () => void;
  /** Is told who takes part in which attempt, before those are told what to compute. */
  readonly crewed: (attempt: string, workers: readonly Member[]) => void;
  /** That of the step under way; undefined while nothing is trained. */
  readonly ledger: () => Ledger | undefined;
}): Membership {
  const { listener, mail, monitor, emit, observer, timings, crewSize, ledger, hosts } = init;
  const roster = createRoster(init.newId);
  const assigner = createShardAssigner({ roster, ...init });
  const probes = createProbes(crewSize.start);
  /** Those of whom it was told that their probe is another. */
  const told = new Set<Member>();
  /** Peers that may still send what was on its way. */
  const excluded = new Set<string>();
  let lastLoss = '';
  const namesakes = createNamesakes(init.clock, init.namesakeMs, (peer, message) =>
    consider(peer, message, true),
  );
  const meetingPoint = () => ({
    address: listener.address,
    deadlineMs: init.deadlines.joinMs,
    starting: observer?.starting() ?? false,
  });
  const isTraining = () => ledger() !== undefined;
  const enough = () => roster.ready().length >= crewSize.least();
  const crewOf = (underWay: boolean) => (underWay ? crewSize.least() : crewSize.start());

  function tellAll(body: CoordinatorToWorker) {
    for (const member of roster) mail.tell(member, body);
  }

  /** @param waited for its name, as long as anybody does */
  function consider(peer: string, message: JoinMessage, waited: boolean) {
    const admission = roster.decide(peer, message, message.session, waited, init.plan());
    switch (admission.kind) {
      case 'hold':
        return namesakes.hold(peer, message);
      case 'refuse':
        return mail.refuseAloud(peer, admission.why);
      case 'admit':
        return admit(peer, message);
    }
  }

  function admit(peer: string, message: JoinMessage) {
    const member = roster.admit(peer, message, message.session);
    const { worker } = member;
    const job = init.settle(message.description);
    const { plan } = job;
    const { aggregation } = init;
    mail.tell(member, { type: 'welcome', worker, plan, servers: init.servers(job), aggregation });
    emit({ event: 'worker-joined', worker, workers: roster.size() });
    observer?.joined(worker);
    // Else it may still be refused.
    if (!init.strict) hosts.admitted(peer, worker);
  }

  function compareProbes() {
    const verdict = probes.compare(roster, isTraining());
    for (const member of verdict?.right ?? []) {
      roster.trust(member);
      hosts.admitted(member.peer, member.worker);
    }
    for (const { member, why } of verdict?.odd ?? []) {
      if (init.strict) {
        mail.refuseAloud(member.peer, why);
        leave(member.peer, 'its arithmetic differs');
      } else if (!told.has(member)) {
        told.add(member);
        emit(warningOf(why));
      }
    }
  }

  function leave(peer: string, reason: string, politely = false) {
    namesakes.forget(peer);
    const member = roster.remove(peer);
    if (member === undefined) return;
    probes.forget(member);
    told.delete(member);
    const { worker } = member;
    if (politely) mail.tell(member, { type: 'finish' });
    emit({ event: 'worker-left', worker, reason, workers: roster.size(), politely });
    if (!politely) observer?.lost(worker, reason);
    const step = ledger()?.version();
    lastLoss = `; lost ${worker}${step === undefined ? '' : ` in step ${step}`}: ${reason}`;
    timings.gone(worker);
    if (member.ready) {
      if (politely) assigner.assign();
      else init.lost();
    }
    const namesake = namesakes.take(worker);
    if (namesake !== undefined) consider(namesake.peer, namesake.message, false);
  }

  function awaitCrew(wanted: number): Wait {
    const probing = [...roster].filter((member) => !probes.has(member));
    return awaitWorkers(meetingPoint(), wanted, {
      here: roster.names(),
      probing: probing.map(({ worker }) => worker),
      lastLoss,
    });
  }

  return {
    ...assigner,
    size: roster.size,
    join: (peer, message) => consider(peer, message, false),
    leave,
    probed(member, digest) {
      probes.add(member, digest);
      if (!init.strict) roster.trust(member);
      compareProbes();
      if (member.ready) assigner.assign();
    },
    spares: (member) => !member.ready && isTraining(),
    giveUp(member, error) {
      emit(warningOf(errorFromRecord(error)));
      leave(member.peer, 'it cannot take part');
    },
    authenticate: roster.authenticate,
    refuse: mail.refuseAloud,
    tell: mail.tell,
    tellAll,
    dismiss(farewell) {
      tellAll(farewell);
      namesakes.close();
    },
    drop(worker, reason) {
      const member = [...roster].find((each) => each.worker === worker);
      if (member === undefined) return;
      roster.ban(
        member,
        new TuttiError('REFUSED', `Worker ${worker} was dropped because it hung`, {
          remedy: 'Start it again.',
        }),
      );
      hosts.hung(member.peer);
      listener.disconnect(member.peer);
      leave(member.peer, reason);
    },
    exclude(member, why) {
      excluded.add(member.peer);
      roster.ban(member, why);
      mail.refuse(member.peer, why);
      leave(member.peer, 'its gradients are wrong');
    },
    ignores: (peer) => excluded.has(peer),
    ready: roster.ready,
    ownersOf: (shards) =>
      [...new Set(shards.map((shard) => roster.owner(shard)?.worker ?? 'nobody'))].join(', '),
    gather: (stopping, underWay) =>
      monitor.until(
        () => stopping() || roster.ready().length >= crewOf(underWay),
        () => awaitCrew(crewOf(underWay)),
      ),
    enough,
    shortage: () => awaitCrew(crewSize.least()),
    anyone: (what) => awaitAnyone(meetingPoint(), what),
    startHost: () => startHost(meetingPoint()),
    [Symbol.iterator]: () => roster[Symbol.iterator](),
  };
}
