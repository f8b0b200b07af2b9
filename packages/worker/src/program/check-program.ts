import { checkDataset, isDataset } from '@tutti/data/internal';
import {
  checkSteering,
  GRADIENT_COMPRESSIONS,
  METRIC_DIRECTIONS,
  METRIC_FORMS,
} from '@tutti/protocol';
import { checkKeys, isRecord, showValue, TuttiError } from '@tutti/runtime';
import { checkOptimizer } from '@tutti/store';
import type { Computation, Program, ProgramData } from './program.js';

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
  const { name } = candidate;
  if (name !== undefined && typeof name !== 'string')
    throw bad(`name of ${called} is ${showValue(name)}`, 'Give name a text, or leave it out.');
  if (!Number.isSafeInteger(candidate.seed))
    throw bad(`seed of ${called} is ${showValue(candidate.seed)}`, 'Give seed a whole number.');
  const { batchSize, epochs, shards = 1, evaluationBatchSize = 1 } = candidate;
  for (const [name, value] of Object.entries({ batchSize, epochs, shards, evaluationBatchSize }))
    if (!Number.isSafeInteger(value) || (value as number) < 1)
      throw bad(
        `${name} of ${called} is ${showValue(value)}`,
        `Give ${name} a whole number from 1.`,
      );
  const { gradientCompression: compression } = candidate;
  if (
    compression !== undefined &&
    !(GRADIENT_COMPRESSIONS as readonly unknown[]).includes(compression)
  )
    throw bad(
      `gradientCompression of ${called} is ${showValue(compression)}`,
      `Give one of ${GRADIENT_COMPRESSIONS.join(', ')}, or leave it out.`,
    );
  if (typeof candidate.optimizer !== 'object' || candidate.optimizer === null)
    throw bad(
      `The optimizer of ${called} is ${showValue(candidate.optimizer)}`,
      "Give it one, like `optimizer: { name: 'adam', learningRate: 0.001 }`.",
    );
  checkOptimizer(candidate.optimizer);
  checkSteering(candidate, called);
  return exported as Program;
}

/** @throws TuttiError BAD_PROGRAM unless `data()` returned `{ training, evaluation }` */
export function checkData(returned: unknown): ProgramData {
  const remedy = 'Return { training, evaluation } from data(); evaluation may be left out.';
  if (typeof returned !== 'object' || returned === null)
    throw bad(`data() returned ${showValue(returned)}`, remedy);
  if (isDataset(returned)) throw bad('data() returned a data set by itself', remedy);
  checkKeys('The result of data()', returned as ProgramData, DATA_KEYS);
  const { training, evaluation } = returned as Partial<Record<keyof ProgramData, unknown>>;
  checkDataset(training, 'What data() returns as training');
  if (evaluation !== undefined) checkDataset(evaluation, 'What data() returns as evaluation');
  return returned as ProgramData;
}

/**
 * What `open()` returned, before anything of it is described to others.
 * @throws TuttiError BAD_PROGRAM
 */
export function checkComputation(returned: unknown): Computation {
  const remedy =
    'Return an object with parameters, initialize(), gradient() and evaluate() from open().';
  if (!isRecord(returned)) throw bad(`open() returned ${showValue(returned)}`, remedy);
  const candidate = returned as Partial<Record<keyof Computation, unknown>>;
  for (const name of ['initialize', 'gradient', 'evaluate'] as const)
    if (typeof candidate[name] !== 'function')
      throw bad(`What open() returned has no function ${name}()`, remedy);
  checkParameters(candidate.parameters);
  const { arithmetic, metricForms, metricDirections, sharing } = candidate;
  checkTable('arithmetic', arithmetic, (fact) => typeof fact === 'string', "text, such as '4.22'");
  checkTable(
    'metricForms',
    metricForms,
    (form) => (METRIC_FORMS as readonly unknown[]).includes(form),
    `one of ${METRIC_FORMS.join(', ')}`,
  );
  checkTable(
    'metricDirections',
    metricDirections,
    (direction) => (METRIC_DIRECTIONS as readonly unknown[]).includes(direction),
    `one of ${METRIC_DIRECTIONS.join(', ')}`,
  );
  if (sharing === undefined) return returned as unknown as Computation;
  const { digest, frozen } = isRecord(sharing) ? sharing : {};
  if (typeof frozen !== 'function' || (digest !== undefined && typeof digest !== 'string'))
    throw bad(
      'The sharing of the program is no description of shared weights',
      'Give what a framework such as @tutti/tensorflow made, or leave it out.',
    );
  return returned as unknown as Computation;
}

function checkTable(
  what: string,
  given: unknown,
  holds: (value: unknown) => boolean,
  allowed: string,
): void {
  if (given === undefined) return;
  if (!isRecord(given))
    throw bad(
      `${what} of the program is ${showValue(given)}`,
      `Give an object with ${allowed} for each name, or leave it out.`,
    );
  for (const [name, value] of Object.entries(given))
    if (!holds(value))
      throw bad(`${what}.${name} of the program is ${showValue(value)}`, `Give ${allowed}.`);
}

function checkParameters(given: unknown): void {
  const remedy = "Give a list such as [{ name: 'kernel', shape: [784, 10] }].";
  if (!Array.isArray(given) || given.length === 0)
    throw bad(`The parameters of the program are ${showValue(given)}`, remedy);
  for (const parameter of given) {
    if (!isRecord(parameter))
      throw bad(`A parameter of the program is ${showValue(parameter)}`, remedy);
    const { name, shape, update, decay } = parameter;
    if (typeof name !== 'string')
      throw bad(`The name of a parameter is ${showValue(name)}`, remedy);
    if (!Array.isArray(shape) || !Array.from(shape).every(isExtent))
      throw bad(`The shape of parameter "${name}" is ${showValue(shape)}`, remedy);
    if (update !== undefined && update !== 'gradient' && update !== 'average')
      throw bad(
        `update of parameter "${name}" is ${showValue(update)}`,
        "Give 'gradient' or 'average', or leave it out.",
      );
    if (decay !== undefined && typeof decay !== 'boolean')
      throw bad(
        `decay of parameter "${name}" is ${showValue(decay)}`,
        'Give true or false, or leave it out.',
      );
  }
}

const isExtent = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;

function bad(message: string, remedy: string): TuttiError {
  return new TuttiError('BAD_PROGRAM', message, { remedy });
}
