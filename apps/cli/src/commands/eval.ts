import { withCleanUp } from '@tutti/runtime';
import { noticeEvent } from '@tutti/telemetry';
import { setArithmeticEnvironment } from '../machine/arithmetic-environment.js';
import { withOutput } from '../output/output.js';
import type { CliContext } from '../process/context.js';
import { evaluateTrained } from '../programs/evaluation.js';
import { openTrained } from '../programs/trained-program.js';
import { type Flags, settingsFor } from '../settings/settings.js';

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
      const { step, digest, path: checkpoint } = trained.saved;
      // Unnamed wait: what it awaits names its own waits.
      const { examples, loss, metrics } = await evaluateTrained(path, trained, context);
      const facts = { step, examples, loss, metrics, digest, checkpoint };
      result(
        { event: 'evaluated', ...facts },
        [
          `${checkpoint}: step ${step}, ${examples} test examples`,
          `  test loss  ${loss}`,
          ...Object.entries(metrics).map(([name, value]) => `  test ${name}  ${value}`),
        ].join('\n'),
      );
    });
  });
}
