import { readModel } from '@tutti/edge';
import { sharing } from '@tutti/edge/sharing';
import { abortError, TuttiError } from '@tutti/runtime';
import type { CliContext } from '../process/context.js';
import type { TrainedProgram } from '../programs/trained-program.js';

/** Examples whose predictions are measured at once. */
const BATCH = 256;

/** @throws TuttiError BAD_PROGRAM for a program that does not measure it */
export function accuracyOf(metrics: Readonly<Record<string, number>>): number {
  const { accuracy } = metrics;
  if (accuracy !== undefined) return accuracy;
  throw new TuttiError('BAD_PROGRAM', 'The program does not measure its accuracy', {
    remedy: "Give it metrics: ['accuracy'] and an evaluation set.",
  });
}

/** What the file itself gets right, read as a device reads it. */
export async function fileAccuracy(
  { program, data, monitor }: TrainedProgram,
  bytes: Uint8Array,
  context: CliContext,
): Promise<number> {
  // Unnamed wait: TensorFlow is loaded already, since the program has used it.
  const { evaluateEdge } = await import('@tutti/tensorflow');
  const model = readModel(bytes, { sharing });
  const { evaluation } = data;
  const size = evaluation!.size;
  let right = 0;
  for (let first = 0; first < size; first += BATCH) {
    if (context.signal.aborted) throw abortError(context.signal);
    const indices = Array.from({ length: Math.min(BATCH, size - first) }, (_, at) => first + at);
    const batch = await monitor.race(Promise.resolve(evaluation!.read(indices)), {
      who: 'the evaluation set',
      what: 'give its examples',
      remedy: 'See whether its disk answers.',
    });
    right += evaluateEdge(program, model, batch).metrics.accuracy!;
  }
  return right / size;
}
