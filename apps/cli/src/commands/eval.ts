import { createKernels } from '@tutti/kernels';
import { createLayout } from '@tutti/parameters';
import { meansOf, totalOf } from '@tutti/run';
import { abortError, TuttiError, withCleanUp } from '@tutti/runtime';
import { noticeEvent } from '@tutti/telemetry';
import { createTask, describeProgram, monitoredTask } from '@tutti/worker/internal';
import { setArithmeticEnvironment } from '../arithmetic-environment.js';
import type { CliContext } from '../context.js';
import { withOutput } from '../output.js';
import { type Flags, settingsFor } from '../settings.js';
import { openTrained } from '../trained-program.js';

/** `tutti eval <program>`: loss and metrics of a checkpoint on the program's evaluation set. */
export async function evaluate(path: string, flags: Flags, context: CliContext): Promise<void> {
  const resolved = await settingsFor('eval', flags, context, path);
  setArithmeticEnvironment(context.environment, resolved);
  await withOutput(resolved.settings, context, async (output) => {
    const { renderer, result } = output;
    const trained = await openTrained(path, resolved.settings, output, context);
    // Unnamed wait: what it awaits names its own waits.
    await withCleanUp(trained.close, async () => {
      for (const notice of trained.notices) renderer(noticeEvent(notice));
      const { program, hash, data, computation, checkpoint, values } = trained;
      const { evaluationExamples } = describeProgram(program, data, computation, hash);
      if (evaluationExamples === 0) {
        throw new TuttiError('BAD_PROGRAM', `Program ${path} has no evaluation set`, {
          remedy: 'Let its data() return { training, evaluation }.',
        });
      }
      // Over the shards of the run, so that the sums are added as they were then.
      const plan = { ...checkpoint.manifest.plan, evaluationExamples };
      const bare = createTask({
        plan,
        layout: createLayout(plan.parameters),
        data,
        computation,
        kernels: createKernels(),
        clock: context.clock,
        worker: 'this process',
      });
      const task = monitoredTask(bare, trained.monitor);
      const reports = [];
      for (let shard = 0; shard < plan.shards; shard++) {
        if (context.signal.aborted) throw abortError(context.signal);
        reports.push(await task.evaluate(values, checkpoint.step, shard));
      }
      const { loss, metrics } = meansOf(totalOf(reports));
      const { step, path: from } = checkpoint;
      const { digest } = checkpoint.manifest;
      const facts = { step, examples: evaluationExamples, loss, metrics, digest, checkpoint: from };
      result(
        { event: 'evaluated', ...facts },
        [
          `${from}: step ${step}, ${evaluationExamples} test examples`,
          `  test loss  ${loss}`,
          ...Object.entries(metrics).map(([name, value]) => `  test ${name}  ${value}`),
        ].join('\n'),
      );
    });
  });
}
