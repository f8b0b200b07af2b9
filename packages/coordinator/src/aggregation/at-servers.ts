import { type Gather, type Permit, permittedOrder, type Standing } from '@tutti/protocol';
import type { ReadyChunk, Recorder } from '@tutti/run';
import type { Clock } from '@tutti/runtime';
import { chunksIn } from '../servers/holders.js';
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
import { createRemoteStep, type RemoteStep } from './remote-step.js';

/** Whom a report is of that came by a server: its worker may be gone. */
const BY_SERVER = 'that is gone';

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
  /** The step that some server was behind in last, and since when. */
  let behind: { readonly step: number; readonly since: number } | undefined;
  /** For how long one may be before a step is begun anew for it. */
  let patienceMs = BEHIND_PATIENCE_MS;

  function ask(server: number) {
    if (told === undefined) return;
    asked.add(server);
    servers.send(server, told);
    if (permit !== undefined) servers.send(server, permit);
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

  function askAll() {
    for (const server of servers.living()) ask(server);
  }

  function compareAll() {
    comparing = true;
    askAll();
  }

  /**
   * The server lacks what others that hold the same have applied, and so nobody computes it any more unless it
   * is told to. Mostly that is only on its way: workers that lose a connection go back by themselves.
   */
  function findBehind(server: number) {
    const step = ledger?.current();
    if (step === undefined || lackedBy(server, step.step).length === 0) return;
    if (comparing && ledger!.stepBegun()) return init.beginAnew();
    if (!step.isPassed()) return;
    if (behind?.step !== step.step) behind = { step: step.step, since: clock.now() };
    if (clock.now() - behind.since < patienceMs) return;
    behind = undefined;
    patienceMs *= 2;
    init.beginAnew();
  }

  /** Those that have not answered may be further than anybody knows. */
  const haveAnswered = () => servers.living().every((server) => standings.has(server));

  return {
    begin(version, most) {
      const createStep = (step: number) =>
        createRemoteStep({
          ...{ step, plan, layout, servers },
          lackedBy: (server) => lackedBy(server, step),
        });
      ledger = createLedger({ plan, version, most, createStep });
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
      askAll();
    },
    ask() {
      const step = ledger?.current();
      if (step === undefined || !step.reported() || step.done()) return;
      for (const server of servers.living()) {
        if (chunksIn(servers.rangeOf(server)).some(step.isOpen)) ask(server);
      }
    },
    outstanding: advances.outstanding,
    unanswered: (server) => asked.has(server) || advances.outstanding(server) > 0,
    forget(server) {
      standings.delete(server);
      asked.delete(server);
      advances.forget(server);
      compareAll();
      pump();
    },
    compare() {
      if (servers.replicated()) compareAll();
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
