import {
  type Gather,
  type Permit,
  permittedOrder,
  type Standing,
  type SumFacts,
} from '@tutti/protocol';
import { createStepProgress, type ReadyChunk, type Recorder, type StepProgress } from '@tutti/run';
import type { Servers } from '../servers/servers.js';
import type { Job } from '../state/job.js';
import { createLedger, type Ledger } from '../state/ledger.js';
import type { Supervisor } from '../stragglers/supervisor.js';
import { MOST_CHUNKS_AT_ONCE } from '../tunables.js';
import type { Exclude } from '../verify/exclusion.js';
import { noNode } from '../verify/misfits.js';
import type { Member } from '../workers/roster.js';
import { createAdvances } from './advances.js';
import type { Aggregation } from './aggregation.js';

/** Whom a report is of that came by a server: its worker may be gone. */
const BY_SERVER = 'that is gone';

/** A step whose sums are elsewhere. */
interface RemoteStep extends StepProgress {
  /** The sum of a chunk is complete, and this is known of it. */
  know(facts: SumFacts): void;
  release(): void;
}

/**
 * Contributions go to the server that holds the chunk, and are added there. What comes here is which sums
 * are complete, and from here comes when they may be applied: no tensor passes.
 */
export function createAggregationAtServers(init: {
  readonly job: Pick<Job, 'plan' | 'layout'>;
  readonly servers: Servers;
  readonly recorder: Pick<Recorder, 'recording' | 'digested'>;
  readonly supervisor: Pick<Supervisor, 'heard'>;
  readonly exclude: Exclude;
  /** Something has come in: servers may have to apply it. */
  readonly pump: () => void;
}): Aggregation {
  const { servers, recorder, supervisor, exclude, pump } = init;
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

  const serverOf = (chunk: number) => servers.holders(chunk)[0]!;

  function ask(server: number) {
    if (told === undefined) return;
    asked.add(server);
    servers.send(server, told);
    if (permit !== undefined) servers.send(server, permit);
  }

  function createRemoteStep(step: number): RemoteStep {
    const known = new Map<number, SumFacts>();
    const missing = (chunk: number): readonly number[] => {
      const server = serverOf(chunk);
      // Servers are asked once all have reported: what they said before says nothing of who has.
      if (!progress.reported() || asked.has(server)) return [];
      const standing = standings.get(server);
      return standing?.step === step ? standing.missing : [];
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
    return {
      ...progress,
      know(facts) {
        if (!progress.isOpen(facts.chunk)) return;
        known.set(facts.chunk, facts);
        progress.complete(facts.chunk);
      },
      release() {},
    };
  }

  /** What a server has applied of which this coordinator was not told, or the one before it was, is not waited for. */
  function passOver(server: number, { versions }: Standing) {
    // A norm takes all sums.
    if (ledger === undefined || clips) return;
    const { firstChunk } = servers.rangeOf(server);
    for (const [at, version] of versions.entries())
      for (let step = ledger.version(); step < version; step++)
        ledger.step(step)?.applied(firstChunk + at);
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
        const server = serverOf(each.chunk);
        const all = ready.get(server) ?? [];
        ready.set(server, all);
        all.push(each);
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
    allow(until, rate) {
      if (clips || ledger === undefined || told === undefined || !haveAnswered()) return;
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
      for (const facts of sums) ledger?.step(facts.step)?.know(facts);
      if (standing !== undefined) {
        standings.set(server, standing);
        asked.delete(server);
        for (const session of standing.heard) {
          const member = members.get(session);
          if (member !== undefined) supervisor.heard(member);
        }
        passOver(server, standing);
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
        ledger?.step(step)?.applied(chunk);
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
      }
      told = { type: 'gather', attempt, workers: sessions };
      for (const server of servers.living()) ask(server);
    },
    ask() {
      const step = ledger?.current();
      if (step === undefined || !step.reported() || step.done()) return;
      for (const server of servers.living()) {
        const { firstChunk, chunks } = servers.rangeOf(server);
        for (let chunk = firstChunk; chunk < firstChunk + chunks; chunk++)
          if (step.isOpen(chunk)) {
            ask(server);
            break;
          }
      }
    },
    outstanding: advances.outstanding,
    unanswered: (server) => asked.has(server) || advances.outstanding(server) > 0,
    forget() {},
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
