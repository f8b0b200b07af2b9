import { dataDifference, type JobPlan, type ProgramDescription } from '@tutti/protocol';
import { misfits } from './fit-weights.js';

/** What a changed program says otherwise than the run that it is to go on with. */
export interface ProgramChanges {
  /** In words, with the flag that sets it, too. */
  readonly differences: readonly string[];
  /** The flag that makes the run as long as the program says, without another program. */
  readonly longer: string | undefined;
  /** Whether the weights of the run are those of a model like this one. */
  readonly sameWeights: boolean;
}

export function programChanges(description: ProgramDescription, plan: JobPlan): ProgramChanges {
  const { defaults, parameters, sharing, data } = description;
  const { epochs, optimizer } = defaults;
  const differences: string[] = [];
  const note = (name: string, now: unknown, before: unknown, flag: string) => {
    if (now !== undefined && now !== before)
      differences.push(`${name} is ${now} now, the run has ${before} (${flag})`);
  };
  const changed = dataDifference(plan.data, data);
  if (changed !== undefined)
    differences.push(`the ${changed.set} data have ${changed.what} (data of the program)`);
  const otherWeights = misfits(plan.parameters, parameters);
  if (otherWeights.length > 0) {
    const [first, ...more] = otherWeights;
    differences.push(
      `of the run, ${first}${more.length > 0 ? `, and ${more.length} more such` : ''} (model or sharing of the program)`,
    );
  } else if (sharing !== plan.sharing)
    differences.push('the weights are shared in another way (sharing of the program)');
  const steps = epochs * plan.stepsPerEpoch;
  // One that has more steps than the program says may have been made longer by a flag.
  const isLonger = steps > plan.steps;
  if (isLonger)
    differences.push(
      `${epochs} epochs are ${steps} steps, the run has ${plan.steps} (--epochs, --steps)`,
    );
  note('batchSize', defaults.batchSize, plan.batchSize, '--batch-size');
  note('seed', defaults.seed, plan.seed, '--seed');
  note('shards', defaults.shards, plan.shards, '--shards');
  note(
    'gradientCompression',
    defaults.gradientCompression,
    plan.gradientCompression ?? 'none',
    '--gradient-compression',
  );
  note('optimizer', optimizer.name, plan.optimizer.name, 'optimizer of the program');
  const rate = plan.optimizer.learningRate;
  note('the learning rate', optimizer.learningRate, rate, '--learning-rate');
  return {
    differences,
    longer: isLonger ? `--epochs ${epochs}` : undefined,
    sameWeights: otherWeights.length === 0 && sharing === plan.sharing,
  };
}
