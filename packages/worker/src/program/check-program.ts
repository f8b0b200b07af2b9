import { checkDataset, isDataset } from '@tutti/data/internal';
import { GRADIENT_COMPRESSIONS, type StoredParameter } from '@tutti/protocol';
import { checkKeys, TuttiError } from '@tutti/runtime';
import { checkOptimizer } from '@tutti/store';
import type { Program, ProgramData } from './program.js';

const DATA_KEYS: Readonly<Record<keyof ProgramData, true>> = { training: true, evaluation: true };

/**
 * What can be told of a program without running it: programs run without a check of their types.
 * @param called such as "program train.ts"
 * @throws TuttiError BAD_PROGRAM; BAD_CONFIG for its optimizer
 */
export function checkProgram(exported: unknown, called: string): Program {
  const remedy =
    'Write `export default defineTraining({ ... })` (or defineProgram from @tutti/worker).';
  if (typeof exported !== 'object' || exported === null)
    throw bad(`There is no program in the default export of ${called}`, remedy);
  const candidate = exported as Partial<Record<keyof Program, unknown>>;
  for (const name of ['data', 'open'] as const)
    if (typeof candidate[name] !== 'function')
      throw bad(`The default export of ${called} has no function ${name}()`, remedy);
  if (!Number.isSafeInteger(candidate.seed))
    throw bad(`seed of ${called} is ${show(candidate.seed)}`, 'Give seed a whole number.');
  const { batchSize, epochs, shards = 1, evaluationBatchSize = 1 } = candidate;
  for (const [name, value] of Object.entries({ batchSize, epochs, shards, evaluationBatchSize }))
    if (!Number.isSafeInteger(value) || (value as number) < 1)
      throw bad(`${name} of ${called} is ${show(value)}`, `Give ${name} a whole number from 1.`);
  const { gradientCompression: compression } = candidate;
  if (
    compression !== undefined &&
    !(GRADIENT_COMPRESSIONS as readonly unknown[]).includes(compression)
  )
    throw bad(
      `gradientCompression of ${called} is ${show(compression)}`,
      `Give one of ${GRADIENT_COMPRESSIONS.join(', ')}, or leave it out.`,
    );
  if (typeof candidate.optimizer !== 'object' || candidate.optimizer === null)
    throw bad(
      `The optimizer of ${called} is ${show(candidate.optimizer)}`,
      "Give it one, like `optimizer: { name: 'adam', learningRate: 0.001 }`.",
    );
  checkOptimizer(candidate.optimizer);
  return exported as Program;
}

/** @throws TuttiError BAD_PROGRAM unless `data()` returned `{ training, evaluation }` */
export function checkData(returned: unknown): ProgramData {
  const remedy = 'Return { training, evaluation } from data(); evaluation may be left out.';
  if (typeof returned !== 'object' || returned === null)
    throw bad(`data() returned ${show(returned)}`, remedy);
  if (isDataset(returned)) throw bad('data() returned a data set by itself', remedy);
  checkKeys('The result of data()', returned as ProgramData, DATA_KEYS);
  const { training, evaluation } = returned as Partial<Record<keyof ProgramData, unknown>>;
  checkDataset(training, 'What data() returns as training');
  if (evaluation !== undefined) checkDataset(evaluation, 'What data() returns as evaluation');
  return returned as ProgramData;
}

/** @throws TuttiError BAD_PROGRAM */
export function checkParameters(given: unknown): readonly StoredParameter[] {
  const remedy = "Give a list such as [{ name: 'kernel', shape: [784, 10] }].";
  if (!Array.isArray(given) || given.length === 0)
    throw bad(`The parameters of the program are ${show(given)}`, remedy);
  for (const { name, shape } of given) {
    if (typeof name !== 'string') throw bad(`The name of a parameter is ${show(name)}`, remedy);
    if (!Array.isArray(shape) || !shape.every((extent) => Number.isSafeInteger(extent)))
      throw bad(`The shape of parameter "${name}" is ${show(shape)}`, remedy);
  }
  return given;
}

function show(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  return JSON.stringify(value) ?? String(value);
}

function bad(message: string, remedy: string): TuttiError {
  return new TuttiError('BAD_PROGRAM', message, { remedy });
}
