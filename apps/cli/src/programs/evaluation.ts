import { createKernels } from '@tutti/kernels';
import { createLayout } from '@tutti/parameters';
import { meansOf, totalOf } from '@tutti/run';
import { abortError, TuttiError } from '@tutti/runtime';
import { createProgramRunner, describeProgram, monitoredRunner } from '@tutti/worker/internal';
import type { CliContext } from '../process/context.js';
import type { TrainedProgram } from './trained-program.js';

/**
 * Loss and metrics of a checkpoint on the program's evaluation set.
 * @throws TuttiError BAD_PROGRAM if it has none
 */
export async function evaluateTrained(
  path: string,
  trained: TrainedProgram,
  context: CliContext,
): Promise<{ examples: number; loss: number; metrics: Readonly<Record<string, number>> }> {
  const { program, hash, data, computation, saved, values } = trained;
  const { evaluationExamples } = describeProgram(program, data, computation, hash);
  if (evaluationExamples === 0) {
    throw new TuttiError('BAD_PROGRAM', `Program ${path} has no evaluation set`, {
      remedy: 'Let its data() return { training, evaluation }.',
    });
  }
  // Over the shards of the run, so that the sums are added as they were then.
  const plan = { ...saved.plan, evaluationExamples };
  const bare = createProgramRunner({
    plan,
    layout: createLayout(plan.parameters),
    data,
    computation,
    kernels: createKernels(),
    clock: context.clock,
    worker: 'this process',
  });
  const runner = monitoredRunner(bare, trained.monitor);
  const reports = [];
  for (let shard = 0; shard < plan.shards; shard++) {
    if (context.signal.aborted) throw abortError(context.signal);
    reports.push(await runner.evaluate(values, saved.step, shard));
  }
  return { examples: evaluationExamples, ...meansOf(totalOf(reports), plan.metricForms) };
}
