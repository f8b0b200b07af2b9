import { readFileSync } from 'node:fs';
import { register } from 'node:module';

/** The product with one thing broken: what the simulation must notice. */
export interface Variant {
  readonly name: string;
  readonly what: string;
  /** The compiled module, from the root of the repository. */
  readonly file: string;
  /** Must be there exactly once. */
  readonly from: string;
  readonly to: string;
}

export const VARIANTS: readonly Variant[] = [
  {
    name: 'no duplicate check in the reducer',
    what: 'a node that is covered already is taken again',
    file: 'packages/reduction/dist/reducer.js',
    from: 'if (path.some(isHeld))',
    to: 'if (false)',
  },
  {
    name: 'duplicates of a complete chunk',
    what: 'the step takes contributions to a chunk that is complete',
    file: 'packages/coordinator/dist/step.js',
    from: "if (entry.state !== 'open')",
    to: 'if (false)',
  },
  {
    name: 'apply is not idempotent',
    what: 'a server applies a step that it has applied',
    file: 'packages/store/dist/store.js',
    from: 'if (state.version > step)',
    to: 'if (false)',
  },
  {
    name: 'stale session accepted',
    what: 'the session token is not looked at',
    file: 'packages/coordinator/dist/members.js',
    from: 'member.session === message.session',
    to: 'true',
  },
  {
    name: 'another job accepted',
    what: 'the job of a message is not looked at',
    file: 'packages/protocol/dist/refusal.js',
    from: 'message.job === job ||',
    to: 'true ||',
  },
  {
    name: 'worker keeps the memory of its gradients',
    what: 'a reducer is not released',
    file: 'packages/worker/dist/worker.js',
    from: 'reducer.release();',
    to: ';',
  },
  {
    name: 'pull answered with the version before',
    what: 'a server sends old bytes under the new version',
    file: 'packages/server/dist/shelf.js',
    from: 'store.read(chunk, version));',
    to: 'store.read(chunk, version - 1) ?? store.read(chunk, version));',
  },
  {
    name: 'added in the order of arrival',
    what: 'the reducer adds right to left where the right child came last',
    file: 'packages/reduction/dist/reducer.js',
    from: 'kernels.add(left.values, left.values, right.values);',
    to: 'kernels.add(left.values, left.values, lo === parent.lo ? right.values : left.values);',
  },
  {
    name: 'shards of a lost worker stay with it',
    what: 'nothing is assigned anew when a worker goes',
    file: 'packages/coordinator/dist/job.js',
    from: "emit({ event: 'worker-left', worker, reason, workers: members.size });",
    to: "return emit({ event: 'worker-left', worker, reason, workers: members.size });",
  },
  {
    name: 'generation ignored',
    what: 'an assignment is never replaced by a later one',
    file: 'packages/worker/dist/enrolment.js',
    from: 'message.generation > assignment.generation',
    to: 'assignment.generation === 0',
  },
  {
    name: 'recycled too early',
    what: 'memory of weights is written to while they are on the way',
    file: 'packages/server/dist/shelf.js',
    from: 'version)) - 1);',
    to: 'version)));',
  },
  {
    name: 'report of another shard counted',
    what: 'a report replaces what another shard reported',
    file: 'packages/coordinator/dist/step.js',
    from: 'if (!reports.has(report.shard))',
    to: 'if (true)',
  },
  {
    name: 'evaluation counted twice',
    what: 'an evaluation that comes again is added',
    file: 'packages/coordinator/dist/totals.js',
    from: 'reduce(plus, NOTHING)',
    to: 'concat([...reports].slice(3)).reduce(plus, NOTHING)',
  },
  {
    name: 'steps are not divided by their examples',
    what: 'the last batch of an epoch counts as a whole one',
    file: 'packages/store/dist/store.js',
    from: 'optimizer.conditioning(count, scale, decay)',
    to: 'optimizer.conditioning(count + (count % 2), scale, decay)',
  },
  {
    name: 'weights taken while they come',
    what: 'a worker computes on a version that is not whole',
    file: 'packages/worker/dist/weights.js',
    from: 'if (of !== expected || version === expected || arrived.has(chunk))',
    to: 'if (arrived.has(chunk))',
  },
  {
    name: 'what was sent is forgotten when the coordinator is back',
    what: 'a worker does not compute again for a new coordinator',
    file: 'packages/worker/dist/worker.js',
    from: 'admissions = enrolment.admissions;\n                computed.clear();',
    to: 'admissions = enrolment.admissions;',
  },
  {
    name: 'a worker waits for the version that is gone',
    what: 'a worker that is late is refused',
    file: 'packages/worker/dist/upstream.js',
    from: 'if (version !== wanted || current <= version)',
    to: 'if (true)',
  },
  {
    name: 'a deadline missed by a rounding',
    what: 'a wait rearms for ever',
    file: 'packages/runtime/dist/monitor.js',
    from: 'due >= deadlineMs || ',
    to: '',
  },
  {
    name: 'a lost initializer is waited for',
    what: 'nobody else makes the initial values',
    file: 'packages/coordinator/dist/job.js',
    from: 'done() || ![...members].includes(chosen)',
    to: 'done()',
  },
];

const root = new URL('../../../', import.meta.url);

/**
 * From now on the module of the variant is imported broken.
 * @throws if the variant does not apply any more
 */
export function patchModules(name: string): void {
  const variant = VARIANTS.find((each) => each.name === name);
  if (variant === undefined)
    throw new Error(`No variant is called "${name}": ${VARIANTS.map((v) => v.name).join(', ')}`);
  const { file, from, to } = variant;
  const url = new URL(file, root);
  const found = readFileSync(url, 'utf8').split(from).length - 1;
  if (found !== 1) throw new Error(`"${from}" is ${found} times in ${file}; mend the variant`);
  const hook = `
    export async function load(url, context, next) {
      const loaded = await next(url, context);
      if (!url.startsWith(${JSON.stringify(url.href)})) return loaded;
      const source = String(loaded.source).replace(${JSON.stringify(from)}, () => ${JSON.stringify(to)});
      return { ...loaded, source, shortCircuit: true };
    }`;
  register(`data:text/javascript,${encodeURIComponent(hook)}`);
}
