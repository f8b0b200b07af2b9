import type { Program } from '@tutti/worker';

/**
 * The optimizer of a stage that is shorter or longer than the program's own training: its schedule comes to its
 * end with the stage, as it would with the program.
 * @param length steps of the stage over those of the program
 */
export function stageOptimizer(
  { schedule, warmupSteps, ...optimizer }: Program['optimizer'],
  length: number,
): Program['optimizer'] {
  const scaled = (steps: number) => Math.max(1, Math.round(steps * length));
  return {
    ...optimizer,
    ...(warmupSteps !== undefined && { warmupSteps: Math.round(warmupSteps * length) }),
    ...(schedule && {
      schedule: {
        ...schedule,
        ...('steps' in schedule && { steps: scaled(schedule.steps) }),
        ...('every' in schedule && { every: scaled(schedule.every) }),
      },
    }),
  };
}
