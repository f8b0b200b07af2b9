import { readFileSync } from 'node:fs';
import * as nodeModule from 'node:module';

/** The product with one thing broken: what the simulation must notice. */
export interface Variant {
  readonly name: string;
  readonly what: string;
  /** The compiled module, from the root of the repository. */
  readonly file: string;
  /** Must be there exactly once. */
  readonly from: string;
  readonly to: string;
  /** A seed that catches it, as long as the scenarios stay as they are: so that tests are short. */
  readonly seed?: number;
  /** Shows only where the sums are made at the servers: all runs are such. */
  readonly atServers?: true;
  /** Shows only with a server in the process of each worker: all runs are such. */
  readonly colocated?: true;
}

/*
 * Not among them: a step that takes contributions to a chunk that is complete already. That check
 * only saves work. Until the sum is applied the reducer holds the root and calls them duplicates;
 * after that it is empty, what comes is held until the step is over, and should it complete the tree
 * again, the same bits are sent again, which the server ignores since its chunk is at a later version.
 * Nor a server that sends a chunk for a checkpoint only after it has changed: here no time passes while
 * it sends them, so nothing can come in between. The tests of the shelf have that.
 */
export const VARIANTS: readonly Variant[] = [
  {
    name: 'no duplicate check in the reducer',
    what: 'a node that is covered already is taken again',
    file: 'packages/reduction/dist/reducer.js',
    from: 'if (path.some(isHeld))',
    to: 'if (false)',
    seed: 119,
  },
  {
    name: 'apply is not idempotent',
    what: 'a server applies a step that it has applied',
    file: 'packages/store/dist/store.js',
    from: 'if (state.version > step)',
    to: 'if (false)',
    seed: 201,
  },
  {
    name: 'stale session accepted',
    what: 'the session token is not looked at',
    file: 'packages/coordinator/dist/workers/roster.js',
    from: 'member.session === message.session',
    to: 'true',
    seed: 18,
  },
  {
    name: 'orders of anybody taken',
    what: 'a server takes values and sums from others than its coordinator',
    file: 'packages/server/dist/service.js',
    from: 'if (message.session === session)\n                return handle(',
    to: 'if (true)\n                return handle(',
    seed: 19,
  },
  {
    name: 'ended by anybody',
    what: 'a server ends when another than its coordinator says that the job is over',
    file: 'packages/server/dist/service.js',
    from: 'if (said !== session)',
    to: 'if (false)',
    seed: 25,
  },
  {
    name: 'another job accepted',
    what: 'the job of a message is not looked at',
    file: 'packages/protocol/dist/refusal.js',
    from: 'message.job === job ||',
    to: 'true ||',
    seed: 148,
  },
  {
    name: 'worker keeps the memory of its gradients',
    what: 'a reducer is not released',
    file: 'packages/worker/dist/compute/contributor.js',
    from: 'reducer.release();\n            }\n        },\n        async verify',
    to: ';\n            }\n        },\n        async verify',
    seed: 1,
  },
  {
    name: 'pull answered with the version before',
    what: 'a server sends old bytes under the new version',
    file: 'packages/server/dist/shelf.js',
    from: 'const weights = store.read(chunk, version);',
    to: 'const weights = store.read(chunk, version - 1) ?? store.read(chunk, version);',
    seed: 1,
  },
  {
    name: 'added in the order of arrival',
    what: 'the reducer adds right to left where the right child came last',
    file: 'packages/reduction/dist/reducer.js',
    from: 'kernels.add(left.values, left.values, right.values);',
    to: 'kernels.add(left.values, left.values, lo === parent.lo ? right.values : left.values);',
    seed: 1,
  },
  {
    name: 'shards of a lost worker stay with it',
    what: 'nothing is assigned anew when a worker goes',
    file: 'packages/coordinator/dist/workers/membership.js',
    from: 'if (politely)\n                assigner.assign();\n            else\n                init.lost();',
    to: '',
    seed: 2,
  },
  {
    name: 'generation ignored',
    what: 'an assignment is never replaced by a later one',
    file: 'packages/worker/dist/link/enrolment.js',
    from: 'message.generation > assignment.generation',
    to: 'assignment.generation === 0',
    seed: 2,
  },
  {
    name: 'recycled too early',
    what: 'memory of weights is written to while they are on the way',
    file: 'packages/server/dist/shelf.js',
    from: 'orders.lowest(past) - 2);',
    to: 'orders.lowest(past) + 1);',
    seed: 8,
  },
  {
    name: 'reports counted as they come',
    what: 'a report that comes again counts as one of another shard',
    file: 'packages/run/dist/step/step-progress.js',
    from: 'if (!reports.has(report.shard))\n                reports.set(report.shard, ',
    to: 'reports.set(reports.size, ',
    seed: 13,
  },
  {
    name: 'evaluation counted twice',
    what: 'an evaluation that comes again is added',
    file: 'packages/coordinator/dist/training/worker-results.js',
    from: 'evaluation === undefined || evaluation.has(report.shard))\n                    continue;\n                evaluation.set(report.shard, report)',
    to: 'evaluation === undefined)\n                    continue;\n                evaluation.set(evaluation.size, report)',
    seed: 18,
  },
  {
    name: 'steps are not divided by their examples',
    what: 'the last batch of an epoch counts as a whole one',
    // Not in the step or the store: the run that it is compared with has the same ones.
    file: 'packages/coordinator/dist/servers/sums-in-flight.js',
    from: "type: 'apply', step, chunk, count, scale",
    to: "type: 'apply', step, chunk, count: count + (count % 2), scale",
    seed: 4,
  },
  {
    name: 'weights taken while they come',
    what: 'a worker computes on a version that is not whole',
    file: 'packages/worker/dist/link/weights.js',
    from: 'arrived: () => arrived.size === layout.chunks',
    to: 'arrived: () => arrived.size > layout.chunks / 2',
    seed: 2,
  },
  {
    name: 'what was sent is forgotten when the coordinator is back',
    what: 'a worker does not compute again for a new coordinator',
    file: 'packages/worker/dist/worker-loop.js',
    from: 'welcomes = enrolment.welcomes();\n        executor.startAnew();',
    to: 'welcomes = enrolment.welcomes();',
    seed: 188,
  },
  {
    name: 'a worker waits for the version that is gone',
    what: 'a worker that is late is refused',
    file: 'packages/worker/dist/link/weight-puller.js',
    from: 'if (version < ordered || current <= version)',
    to: 'if (true)',
    seed: 31,
  },
  {
    name: 'a lost initializer is waited for',
    what: 'nobody else makes the initial values',
    file: 'packages/coordinator/dist/alignment/initial-values.js',
    from: 'done() || present().length === 0 || overdue()',
    to: 'done()',
    seed: 128,
  },
  {
    name: 'gradients of an earlier attempt are taken',
    what: 'what was sent before the weights went back is added, whatever is in its memory by now',
    file: 'packages/coordinator/dist/aggregation/at-coordinator.js',
    from: 'if (contribution.attempt !== membership.attempt())',
    to: 'if (false)',
    // Whatever the seed: what was found before is tried too, and one of that catches it.
    seed: 1,
  },
  {
    name: 'nobody goes back',
    what: 'workers stay at their version when the weights go back',
    file: 'packages/worker/dist/worker-loop.js',
    from: 'assignment.attempt !== attempt || goal < 0',
    to: 'goal < 0',
    seed: 15,
  },
  {
    name: 'a standby that is behind stays',
    what: 'holders of one range at different versions are all believed',
    file: 'packages/coordinator/dist/alignment/server-alignment.js',
    from: 'for (const straggler of stragglers)\n                    giveUp(straggler);',
    to: '',
    seed: 508,
  },
  {
    name: 'checks are not waited for',
    what: 'a step is applied before it has been computed twice',
    file: 'packages/coordinator/dist/verify/verifier.js',
    from: 'if (check === undefined || check.settled())\n                return true;',
    to: 'return true;',
    seed: 14,
  },
  {
    name: 'the state of the optimizer is not restored',
    what: 'after the way back to a checkpoint its moments are zero',
    file: 'packages/coordinator/dist/state/collected-state.js',
    from: 'payload.set(vector.subarray(',
    to: 'if (at === 0) payload.set(vector.subarray(',
    seed: 351,
  },
  {
    name: 'a server takes contributions of anybody',
    what: 'who knows the attempt is listened to, admitted or not',
    file: 'packages/server/dist/aggregator.js',
    from: 'attempt.workers.has(session)',
    to: 'true',
    seed: 32,
    atServers: true,
  },
  {
    name: 'what was on its way to a server is not computed again',
    what: 'a worker believes that what it contributed over a lost connection has arrived',
    file: 'packages/worker/dist/link/weight-puller.js',
    from: 'repeatWanted = true;\n                monitor.notify();',
    to: 'monitor.notify();',
    seed: 154,
    atServers: true,
  },
  {
    name: 'who was too early for a server is not told',
    what: 'what a server did not know how to take is lost',
    file: 'packages/server/dist/aggregator.js',
    from: 'askAgain(attempt);',
    to: '',
    seed: 87,
    atServers: true,
  },
  {
    name: 'orders to apply are not repeated',
    what: 'a server that is back is not told again to apply the sums that it holds',
    file: 'packages/coordinator/dist/aggregation/at-servers.js',
    from: 'advances.resend(server);',
    to: '',
    seed: 17,
    atServers: true,
  },
  {
    name: 'the list of servers that workers know is ignored',
    what: 'a coordinator that was started again takes servers by who is back first',
    file: 'packages/coordinator/dist/servers/hosted-servers.js',
    from: 'known.length === count',
    to: 'false',
    seed: 199,
    colocated: true,
  },
  {
    name: 'nobody waits for those who know the servers',
    what: 'a coordinator that was started again begins anew with whoever is there first',
    file: 'packages/coordinator/dist/job/phases.js',
    from: 'found === undefined && (await init.formerServers?.returned())',
    to: 'false',
    seed: 1276,
    colocated: true,
  },
  {
    name: 'a server that is cut off is replaced at once',
    what: 'another takes the range of a server whose connection is lost for a moment',
    file: 'packages/coordinator/dist/servers/hosted-servers.js',
    from: 'away: (at) => void entry(at)',
    to: 'away: giveUp',
    seed: 225,
    colocated: true,
  },
  {
    name: 'workers are not told where a range has gone',
    what: 'workers look for the weights where they were',
    file: 'packages/coordinator/dist/job/server-events.js',
    from: 'relocate();\n            lifetime.',
    to: 'lifetime.',
    seed: 2,
    colocated: true,
  },
  {
    name: 'a server keeps its chunks for another range',
    what: 'a server that is opened for another range goes on with what it has',
    file: 'packages/server/dist/service.js',
    from: '|| asked !== range',
    to: '',
    seed: 1250,
    colocated: true,
  },
  {
    name: 'reports of a step that servers apply by themselves are not kept',
    what: 'what a worker reported is lost with its connection, when nobody can compute it any more',
    file: 'packages/server/dist/aggregator.js',
    from: 'reports.keep(step, told);',
    to: '',
    seed: 265,
    atServers: true,
  },
  {
    name: 'servers go on over a checkpoint',
    what: 'servers are let apply steps beyond a version of which there is to be a checkpoint',
    file: 'packages/coordinator/dist/training/look-ahead.js',
    from: 'Math.min(version + most, checkpoints.next(version))',
    to: 'version + most',
    seed: 6,
    atServers: true,
  },
  {
    name: 'servers go on over an evaluation',
    what: 'servers are let apply steps beyond the end of an epoch',
    file: 'packages/coordinator/dist/training/look-ahead.js',
    from: 'if (endsEpoch(plan, until))',
    to: 'if (until === plan.steps)',
    seed: 1,
    atServers: true,
  },
  {
    name: 'servers go on over the last step',
    what: 'servers are let apply steps that there are not',
    file: 'packages/coordinator/dist/training/look-ahead.js',
    from: 'if (endsEpoch(plan, until))',
    to: 'if (until !== plan.steps && endsEpoch(plan, until))',
    seed: 1,
    atServers: true,
  },
  {
    name: 'servers go on for many steps',
    what: 'servers are let apply as many steps as fit into the time',
    file: 'packages/coordinator/dist/training/look-ahead.js',
    from: 'Math.min(MOST_STEPS_AHEAD, Math.floor(LOOK_AHEAD_MS / took))',
    to: 'Math.floor(LOOK_AHEAD_MS / took)',
    seed: 155,
    atServers: true,
  },
  {
    name: 'servers go on for long',
    what: 'servers are let apply so many steps, however long these take',
    file: 'packages/coordinator/dist/training/look-ahead.js',
    from: 'Math.min(MOST_STEPS_AHEAD, Math.floor(LOOK_AHEAD_MS / took))',
    to: 'MOST_STEPS_AHEAD',
    seed: 1,
    atServers: true,
  },
  {
    name: 'who ends a run does not wait for servers that go on',
    what: 'a run that is ended between two steps ends at once, though servers may be further',
    file: 'packages/coordinator/dist/state/ledger.js',
    from: 'version < allowed || ',
    to: '',
    seed: 45,
    atServers: true,
  },
  {
    name: 'servers are let go on by a run that ends',
    what: 'servers are let apply further steps after somebody has ended the run',
    file: 'packages/coordinator/dist/training/look-ahead.js',
    from: ' || interrupt?.aborted',
    to: '',
    seed: 30,
    atServers: true,
  },
  {
    name: 'a step that was begun is not known to be',
    what: 'a coordinator that is back does not look at which chunks are a version further',
    file: 'packages/coordinator/dist/state/ledger.js',
    from: 'let allowed = init.most;',
    to: 'let allowed = version;',
    // Whatever the seed: what was found before is tried too, and some of that catches it.
    seed: 1,
  },
  {
    name: 'what the coordinator before has trained is not saved',
    what: 'a run that is ended as its coordinator is back is lost, since that one has trained nothing',
    file: 'packages/coordinator/dist/job/phases.js',
    from: 'const isSaved = step === 0 || begun.from !== undefined;',
    to: 'const isSaved = true;',
    seed: 1,
  },
  {
    name: 'what servers hold is not saved by who ends a run as its coordinator is back',
    what: 'a coordinator that gathers its workers ends at once, whatever the servers have come to',
    file: 'packages/coordinator/dist/job/phases.js',
    from: 'left = found === undefined ? leftBy(checkpoint?.point) : undefined;',
    to: 'left = leftBy(checkpoint?.point);',
    seed: 1,
  },
  {
    name: 'a step that servers have begun is not completed by who ends a run',
    what: 'a coordinator that gathers its workers saves what the servers hold, be it of two versions',
    file: 'packages/coordinator/dist/job/phases.js',
    from: 'stopping() && most === version',
    to: 'stopping()',
    // Whatever the seed: what was found before is tried too, and some of that catches it.
    seed: 1,
  },
  {
    name: 'memory of gradients used again while another server reads it',
    what: 'a worker takes what one server has for what all that hold the same have',
    file: 'packages/worker/dist/worker-loop.js',
    from: 'puller.hasStandbys() ? version - 1 : version',
    to: 'version',
    seed: 578,
    atServers: true,
  },
  {
    name: 'a server stands by before it has all',
    what: 'one that catches up counts as having all as soon as it has opened the job',
    file: 'packages/coordinator/dist/alignment/catch-up.js',
    from: 'opened && unstored.size === 0',
    to: 'opened',
    seed: 40,
  },
  {
    name: 'one of those that hold the same is enough',
    what: 'a step counts as applied once one of the servers that hold the same has applied it',
    file: 'packages/coordinator/dist/aggregation/holders-agreement.js',
    from: '.every(',
    to: '.some(',
    seed: 53,
    atServers: true,
  },
  {
    name: 'contributions to the next step are dropped',
    what: 'a server that is a step behind another does not take what workers contribute to the next one',
    file: 'packages/server/dist/aggregator.js',
    from: 'step <= now + 1',
    to: 'step <= now',
    seed: 12,
    atServers: true,
  },
];

const root = new URL('../../../', import.meta.url);

/** Hooks in the same thread: Node >= 22.15; newer ones warn where the others are used. */
const { registerHooks } = nodeModule as {
  readonly registerHooks?: (hooks: Record<string, unknown>) => void;
};

/**
 * From now on the module of the variant is imported broken.
 * @throws if the variant does not apply any more
 */
export async function patchModules(name: string): Promise<Variant> {
  const variant = VARIANTS.find((each) => each.name === name);
  if (variant === undefined)
    throw new Error(`No variant is called "${name}": ${VARIANTS.map((v) => v.name).join(', ')}`);
  const { file, from, to } = variant;
  const url = new URL(file, root);
  const found = readFileSync(url, 'utf8').split(from).length - 1;
  if (found !== 1) throw new Error(`"${from}" is ${found} times in ${file}; mend the variant`);
  // It may be that of hooks in the same thread, which get no promise.
  const hook = `
    export function load(url, context, next) {
      const loaded = next(url, context);
      if (!url.startsWith(${JSON.stringify(url.href)})) return loaded;
      const patched = (loaded) => ({
        ...loaded,
        source: Buffer.from(loaded.source).toString().replace(${JSON.stringify(from)}, () => ${JSON.stringify(to)}),
        shortCircuit: true,
      });
      return loaded instanceof Promise ? loaded.then(patched) : patched(loaded);
    }`;
  const module = `data:text/javascript,${encodeURIComponent(hook)}`;
  if (registerHooks === undefined) nodeModule.register(module);
  else registerHooks(await import(module));
  return variant;
}
