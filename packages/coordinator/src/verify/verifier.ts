import {
  type Contribution,
  digestOfBytes,
  type JobPlan,
  type ShardReport,
  type Verification,
} from '@tutti/protocol';
import { maximalNodes } from '@tutti/reduction';
import { createRandom, type Wait } from '@tutti/runtime';
import { type RunEvent, warningOf } from '@tutti/telemetry';
import type { Owed } from '../stragglers/owed.js';
import type { Membership } from '../workers/membership.js';
import type { Member } from '../workers/roster.js';
import type { WorkKind } from '../workers/timings.js';
import { placeIn, runOf, undecidable, wrongBits } from './arithmetic-errors.js';
import { type CrossCheck, createCrossCheck, type Dispute, type Order } from './cross-check.js';
import type { Candidate } from './loads.js';

/**
 * The steps, or the evaluations, of a job that are checked: everything in them is computed by two
 * workers.
 */
export interface Verifier {
  /** A step begins: tells the workers what of it they are to compute again. */
  begin(step: number): void;
  /** The digest of a contribution to a step that is checked; undefined for all others. */
  digestOf(step: number, payload: Uint8Array): string | undefined;
  /** The reducer of a step that is checked has taken what has this digest. */
  contributed(member: Member, contribution: Contribution, digest: string): void;
  reported(member: Member, step: number, report: ShardReport): void;
  answered(member: Member, answer: Verification): void;
  /**
   * Whether what is there of a step may be applied. In a step that is checked that is not before all
   * is there and found right; a worker whose part is wrong is excluded, and the step begins again.
   * @param whole whether all is there
   * @throws TuttiError ARITHMETIC if two workers differ and nobody can tell which is right
   */
  cleared(step: number, whole: () => boolean): boolean;
  /** Who is awaited, if a complete step waits for its check. */
  awaited(step: number): Pick<Wait, 'who' | 'what'> | undefined;
  /** The workers that were asked to check a step, and have not answered. */
  owing(step: number): readonly Owed[];
  /** It is over. */
  done(step: number): void;
  /** Everything received of the steps under way is void. */
  clear(): void;
}

/**
 * Whether everything in a step is computed by two workers. Steps are drawn as a whole, from (seed,
 * step): then all workers are busy with it at the same time, and a share costs no more than itself.
 * Micro-batches drawn one by one would have nearly every step of a large job wait for somebody.
 */
export function isChecked(
  plan: JobPlan,
  share: number,
  step: number,
  work: WorkKind = 'gradient',
): boolean {
  const drawn = work === 'gradient' ? 'verify' : 'verify evaluation';
  return share > 0 && createRandom(drawn, plan.seed, step).next() < share;
}

/** The digest of what an evaluation has besides its numbers. */
const NOTHING = '';

export function createVerifier(init: {
  readonly plan: JobPlan;
  readonly emit: (event: RunEvent) => void;
  readonly membership: Membership;
  readonly work: WorkKind;
  /** The share of steps that are checked, 0 to 1. */
  readonly share: number;
  readonly newOrder: () => number;
  /** Begins the step under way again. */
  readonly redo: () => void;
}): Verifier {
  const { plan, membership, work, share, emit } = init;
  /** By step under way; undefined for one that is not checked. */
  const crossChecks = new Map<number, CrossCheck | undefined>();

  /** Claims are those of a process, not of its name: another may have it by now. */
  const names = new Map<string, string>();
  const processOf = ({ process, worker }: Member) => {
    names.set(process, worker);
    return process;
  };
  const nameOf = (process: string) => names.get(process) ?? process;
  const find = (process: string) => membership.ready().find((each) => each.process === process);

  const where = (step: number) => placeIn(work, step);

  function crossCheckOf(step: number): CrossCheck | undefined {
    if (crossChecks.has(step)) return crossChecks.get(step);
    const checked = isChecked(plan, share, step, work);
    const made = checked ? createCrossCheck(init.newOrder) : undefined;
    crossChecks.set(step, made);
    return made;
  }

  /** Asked for after every answer: known until somebody comes, goes or is given other shards. */
  let candidatesOf: { step: number; ready: readonly Member[]; found: Candidate[] } | undefined;

  /** In another order for each step, so that not always the same two are compared. */
  function candidates(step: number): readonly Candidate[] {
    const ready = membership.ready();
    if (candidatesOf?.step === step && candidatesOf.ready === ready) return candidatesOf.found;
    const found = ready.map((member) => ({
      worker: processOf(member),
      session: member.session,
      shards: member.shards.length,
    }));
    createRandom('verifiers', plan.seed, step).shuffle(found);
    candidatesOf = { step, ready, found };
    return found;
  }

  function tell(step: number, orders: readonly Order[]) {
    if (orders.length === 0) return;
    const here = new Map(membership.ready().map((member) => [member.process, member]));
    for (const { worker, order, lo, hi } of orders)
      membership.tell(here.get(worker)!, { type: 'verify', work, order, step, lo, hi });
  }

  function begin(step: number) {
    const check = crossCheckOf(step);
    // With too few here nobody is assigned anything yet, and would drop an order that came before.
    if (check === undefined || !membership.enough()) return;
    const { shards } = plan;
    const partsOf = (own: readonly number[]) =>
      work === 'gradient' ? maximalNodes(own, shards) : own.map((lo) => ({ lo, hi: lo + 1 }));
    const expected = membership
      .ready()
      .flatMap((member) =>
        partsOf(member.shards).map((part) => ({ worker: processOf(member), ...part })),
      );
    tell(step, check.foresee(expected, candidates(step)));
  }

  function resolve(step: number, dispute: Dispute) {
    const here = dispute.claimants.flatMap((process) => find(process) ?? []);
    if (dispute.faulty.length === 0 && here.length === dispute.claimants.length)
      throw undecidable(where(step), dispute, here);
    init.redo();
    for (const faulty of dispute.faulty) {
      const member = find(faulty);
      const others = dispute.claimants.filter((each) => !dispute.faulty.includes(each)).map(nameOf);
      const error = wrongBits({
        work,
        step,
        dispute,
        worker: nameOf(faulty),
        host: member?.host,
        others,
      });
      emit(warningOf(error));
      if (member === undefined) continue;
      emit({
        event: 'worker-excluded',
        worker: member.worker,
        step,
        shards: runOf(dispute),
        hostname: member.host.hostname,
        pid: member.host.pid,
      });
      membership.exclude(member, error);
    }
    membership.assign(true);
    begin(step);
  }

  return {
    begin,
    digestOf: (step, payload) =>
      crossCheckOf(step) === undefined ? undefined : digestOfBytes(payload),
    contributed(member, { step, lo, hi, chunk }, digest) {
      crossCheckOf(step)?.contributed(processOf(member), { lo, hi, chunk }, digest);
    },
    reported(member, step, report) {
      const check = crossCheckOf(step);
      if (check === undefined) return;
      const process = processOf(member);
      check.reported(process, report);
      const { shard } = report;
      // There is nothing else to compare of an evaluation than its numbers.
      const node = { lo: shard, hi: shard + 1, chunk: 0 };
      if (work === 'evaluation') check.contributed(process, node, NOTHING);
    },
    answered(member, { order, digests: computed, shards }) {
      const digests = work === 'gradient' ? computed : [NOTHING];
      for (const check of crossChecks.values())
        check?.answered(processOf(member), order, { digests, reports: shards });
    },
    cleared(step, whole) {
      const check = crossCheckOf(step);
      if (check === undefined || check.settled()) return true;
      if (!whole()) return false;
      tell(step, check.orders(candidates(step)));
      const dispute = check.dispute();
      if (dispute !== undefined) resolve(step, dispute);
      return dispute === undefined && check.settled();
    },
    awaited(step) {
      const check = crossChecks.get(step);
      if (check === undefined || check.settled()) return undefined;
      const pending = check.pending();
      if (pending.length === 0)
        return { who: 'a worker', what: `join and check shards ${where(step)}` };
      const shards = pending.flatMap(runOf);
      return {
        who: `worker ${[...new Set(pending.map(({ worker }) => nameOf(worker)))].join(', ')}`,
        what: `check shards ${shards.join(', ')} ${where(step)}`,
      };
    },
    owing(step) {
      const pending = crossChecks.get(step)?.pending() ?? [];
      if (pending.length === 0) return [];
      const here = new Map(membership.ready().map((member) => [member.session, member]));
      return pending.flatMap((order) => {
        const member = here.get(order.session);
        return member === undefined
          ? []
          : [{ member, stage: { work, at: step }, shards: runOf(order) }];
      });
    },
    done: (step) => void crossChecks.delete(step),
    clear: () => crossChecks.clear(),
  };
}
