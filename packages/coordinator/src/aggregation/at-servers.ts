import {
  type Gather,
  type Permit,
  permittedOrder,
  type Standing,
  type SumFacts,
} from '@tutti/protocol';
import { createStepProgress, type ReadyChunk, type Recorder, type StepProgress } from '@tutti/run';
import type { Clock } from '@tutti/runtime';
import type { Servers } from '../servers/servers.js';
import type { Job } from '../state/job.js';
import { createLedger, type Ledger } from '../state/ledger.js';
import type { Supervisor } from '../stragglers/supervisor.js';
import { BEHIND_PATIENCE_MS, MOST_CHUNKS_AT_ONCE } from '../tunables.js';
import type { Exclude } from '../verify/exclusion.js';
import { noNode } from '../verify/misfits.js';
import type { Member } from '../workers/roster.js';
import { createAdvances } from './advances.js';
import type { Aggregation } from './aggregation.js';
import { createHoldersAgreement } from './holders-agreement.js';

/** Whom a report is of that came by a server: its worker may be gone. */
const BY_SERVER = 'that is gone';

/** A step whose sums are elsewhere. */
interface RemoteStep extends Omit<StepProgress, 'complete' | 'applied' | 'reopen'> {
  /** A server has the complete sum of a chunk, and this is known of it. */
  know(server: number, facts: SumFacts): void;
  /** A server has a chunk at the next version. */
  applied(server: number, chunk: number): void;
  /** The sum of a chunk was given out. @returns those that hold it, and have not applied it */
  given(chunk: number): readonly number[];
  /** Whether workers may be at the next version, though some server is not: that lacks what nobody computes any more. */
  isPassed(): boolean;
  /** In another attempt the sums are made again, whoever may be at the next version. */
  remake(): void;
  release(): void;
}

/**
 * Contributions go to the servers that hold the chunk, and are added there: by each of them, so that they have
 * the same. What comes here is which sums are complete, and from here comes when they may be applied: no tensor
 * passes.
 */
export function createAggregationAtServers(init: {
  readonly job: Pick<Job, 'plan' | 'layout'>;
  readonly servers: Servers;
  readonly recorder: Pick<Recorder, 'recording' | 'digested'>;
  readonly supervisor: Pick<Supervisor, 'heard'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly exclude: Exclude;
  /** Something has come in: servers may have to apply it. */
  readonly pump: () => void;
  /** Has the step under way computed again, for a server that lacks something of it. */
  readonly beginAnew: () => void;
}): Aggregation {
  const { servers, recorder, supervisor, clock, exclude, pump } = init;
  const { plan, layout } = init.job;
  const clips = plan.optimizer.clipNorm !== undefined;
  const advances = createAdvances(servers.send);
  let ledger: Ledger<RemoteStep> | undefined;
  /** What the servers were told last, and by whom they may be sent contributions. */
  let told: Gather | undefined;
  /** What they may do without an order. */
  let permit: Permit | undefined;
  let members = new Map<string, Member>();
  /** What each server has said of itself in this attempt. */
  const standings = new Map<number, Standing>();
  /** Those that were asked for that, and have not answered. */
  const asked = new Set<number>();
  /** Somebody is gone who may have told one of them more than another, and not all have said what they have. */
  let comparing = false;
  /** The step that some server was behind in, since when, and how often it has been begun anew for that. */
  let behind: { readonly step: number; readonly since: number; readonly times: number } | undefined;

  function ask(server: number) {
    if (told === undefined) return;
    asked.add(server);
    servers.send(server, told);
    if (permit !== undefined) servers.send(server, permit);
  }

  function createRemoteStep(step: number): RemoteStep {
    const known = new Map<number, SumFacts>();
    const summed = createHoldersAgreement(servers);
    const applied = createHoldersAgreement(servers);
    const given = new Set<number>();
    const missing = (chunk: number): readonly number[] => {
      // Servers are asked once all have reported: what they said before says nothing of who has.
      if (!progress.reported()) return [];
      return [...new Set(servers.holders(chunk).flatMap((server) => lackedBy(server, step)))];
    };
    const progress: StepProgress = createStepProgress({
      ...{ step, plan, layout },
      sums: {
        isFinite: (chunk) => known.get(chunk)!.finite,
        // A norm of nothing would clip nothing.
        squares: (chunk) => known.get(chunk)?.squares ?? [Number.NaN],
        missing,
        isMissing: (chunk, shard) => missing(chunk).includes(shard),
      },
    });
    function look(chunk: number) {
      // A norm takes all sums, also those that were applied for another coordinator.
      const counts = !clips || given.has(chunk);
      if (counts && applied.isReached(chunk)) progress.applied(chunk);
      else if (known.has(chunk) && summed.isReached(chunk)) progress.complete(chunk);
    }
    return {
      ...progress,
      know(server, facts) {
        const { chunk } = facts;
        if (!progress.isOpen(chunk)) return;
        known.set(chunk, facts);
        summed.add(chunk, server);
        look(chunk);
      },
      applied(server, chunk) {
        applied.add(chunk, server);
        // It need not have told that it had the sum.
        summed.add(chunk, server);
        look(chunk);
      },
      given(chunk) {
        given.add(chunk);
        look(chunk);
        return servers.holders(chunk).filter((server) => !applied.has(chunk, server));
      },
      isPassed: () => applied.size() === layout.chunks,
      remake() {
        known.clear();
        summed.clear();
        applied.clear();
        given.clear();
        progress.reopen();
      },
      release() {},
    };
  }

  function chunksOf(server: number): readonly number[] {
    const { firstChunk, chunks } = servers.rangeOf(server);
    return Array.from({ length: chunks }, (_, at) => firstChunk + at);
  }

  /** The shards that some sums of a step lack at a server, as it has said when it was asked last. */
  function lackedBy(server: number, step: number): readonly number[] {
    const standing = asked.has(server) ? undefined : standings.get(server);
    return standing?.step === step ? standing.missing : [];
  }

  /** What a server has applied of which this coordinator was not told, or the one before it was, is not waited for. */
  function passOver(server: number, { versions }: Standing) {
    if (ledger === undefined) return;
    const { firstChunk } = servers.rangeOf(server);
    for (const [at, version] of versions.entries())
      for (let step = ledger.version(); step < version; step++)
        ledger.step(step)?.applied(server, firstChunk + at);
  }

  function compare() {
    comparing = true;
    for (const server of servers.living()) ask(server);
  }

  /**
   * The server lacks what others that hold the same have applied, and so nobody computes it any more unless it
   * is told to. Mostly it is only on its way: the longer, the slower that is.
   */
  function findBehind(server: number) {
    const step = ledger?.current();
    if (step === undefined || lackedBy(server, step.step).length === 0) return;
    if (comparing && ledger!.stepBegun()) return init.beginAnew();
    if (!step.isPassed()) return;
    if (behind?.step !== step.step) behind = { step: step.step, since: clock.now(), times: 0 };
    if (clock.now() - behind.since < BEHIND_PATIENCE_MS * 2 ** behind.times) return;
    behind = { ...behind, since: clock.now(), times: behind.times + 1 };
    init.beginAnew();
  }

  /** Those that have not answered may be further than anybody knows. */
  const haveAnswered = () => servers.living().every((server) => standings.has(server));

  return {
    begin(version, most) {
      ledger = createLedger({ plan, version, most, createStep: createRemoteStep });
      return ledger;
    },
    give(rate) {
      const step = ledger?.current();
      if (step === undefined || !haveAnswered()) return;
      const ready = new Map<number, ReadyChunk[]>();
      step.give((each) => {
        for (const server of step.given(each.chunk)) {
          const all = ready.get(server) ?? [];
          ready.set(server, all);
          all.push(each);
        }
      });
      for (const [server, all] of ready)
        for (let from = 0; from < all.length; from += MOST_CHUNKS_AT_ONCE) {
          const some = all.slice(from, from + MOST_CHUNKS_AT_ONCE);
          const { count, scale } = some[0]!;
          advances.send(server, {
            ...{ type: 'advance', step: step.step, count, scale },
            chunks: some.map(({ chunk }) => chunk),
            ...(rate === 1 ? {} : { rate }),
            recorded: recorder.recording(),
          });
        }
    },
    allow(most, rate) {
      if (clips || ledger === undefined || told === undefined || !haveAnswered()) return;
      // Of those that hold the same none may get further than one step beyond another: what that lacks can be
      // computed again, since all keep the version before.
      const until = servers.replicated() ? Math.min(most, ledger.version() + 1) : most;
      if (until <= Math.max(ledger.allowed(), ledger.version())) return;
      ledger.allow(until);
      permit = {
        ...{ type: 'permit', attempt: told.attempt, until, known: ledger.version() },
        ...(rate === 1 ? {} : { rate }),
        recorded: recorder.recording(),
      };
      for (const server of servers.living()) servers.send(server, permit);
    },
    landing: () => undefined,
    contributed() {},
    applied() {},
    gathered(server, { attempt, sums, standing, reports }) {
      if (attempt !== told?.attempt) return;
      // Whoever said it may be gone.
      for (const report of reports?.shards ?? [])
        ledger?.step(reports!.step)?.report(BY_SERVER, report);
      for (const facts of sums) ledger?.step(facts.step)?.know(server, facts);
      if (standing !== undefined) {
        standings.set(server, standing);
        asked.delete(server);
        for (const session of standing.heard) {
          const member = members.get(session);
          if (member !== undefined) supervisor.heard(member);
        }
        passOver(server, standing);
        findBehind(server);
        if (asked.size === 0) comparing = false;
      }
      pump();
    },
    advanced(server, { step, attempt, chunks, digests }) {
      const byItself = attempt !== undefined && attempt === permit?.attempt;
      for (const [at, chunk] of chunks.entries()) {
        const ordered = advances.advanced(server, step, chunk);
        const order = byItself ? permittedOrder(plan, permit!, step) : ordered;
        if (order === undefined) continue;
        const digest = digests?.[at] ?? '';
        if (digest !== '') recorder.digested({ ...order, chunk }, digest);
        ledger?.step(step)?.applied(server, chunk);
      }
    },
    misfit({ worker, contribution, bytes }) {
      const member = members.get(worker);
      if (member !== undefined)
        exclude(member, contribution.step, noNode(member, contribution, bytes));
    },
    crewed(attempt, workers) {
      members = new Map(workers.map((member) => [member.session, member]));
      const sessions = [...members.keys()];
      const isSame = told?.attempt === attempt && told.workers.join() === sessions.join();
      if (isSame) return;
      if (told?.attempt !== attempt) {
        standings.clear();
        permit = undefined;
        comparing = false;
        // Of these servers may have told something.
        for (const ahead of [0, 1]) ledger?.step(ledger.version() + ahead)?.remake();
      }
      told = { type: 'gather', attempt, workers: sessions };
      for (const server of servers.living()) ask(server);
    },
    ask() {
      const step = ledger?.current();
      if (step === undefined || !step.reported() || step.done()) return;
      for (const server of servers.living()) {
        if (chunksOf(server).some(step.isOpen)) ask(server);
      }
    },
    outstanding: advances.outstanding,
    unanswered: (server) => asked.has(server) || advances.outstanding(server) > 0,
    forget(server) {
      standings.delete(server);
      asked.delete(server);
      advances.forget(server);
      compare();
      pump();
    },
    compare() {
      if (servers.replicated()) compare();
    },
    resend(server) {
      advances.resend(server);
      ask(server);
    },
    clear: advances.clear,
    release() {
      ledger = undefined;
      told = undefined;
      permit = undefined;
      members = new Map();
      standings.clear();
      asked.clear();
    },
  };
}
