import type { JobPlan, ProgramDescription } from '@tutti/protocol';

/** What a changed program says otherwise than the run that it is to go on with. */
export interface ProgramChanges {
  /** In words, with where each is set. */
  readonly differences: readonly string[];
  /** The flags that make the run longer or shorter without another program. */
  readonly flags: string | undefined;
}

export function programChanges({ defaults }: ProgramDescription, plan: JobPlan): ProgramChanges {
  const { epochs, optimizer } = defaults;
  const differences: string[] = [];
  const note = (name: string, now: unknown, before: unknown, flag: string) => {
    if (now !== undefined && now !== before)
      differences.push(`${name} is ${now} now, the run has ${before} (${flag})`);
  };
  const steps = epochs * plan.stepsPerEpoch;
  if (steps !== plan.steps)
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
  return { differences, flags: steps === plan.steps ? undefined : `--epochs ${epochs}` };
}
