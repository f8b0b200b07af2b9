import { TuttiError } from '@tutti/runtime';
import type { Loss } from '../losses/losses.js';
import type { Metric } from '../metrics/metric.js';

/** What one output of the model is trained on and measured by. */
export interface Head {
  /** Undefined for the only output. */
  readonly name: string | undefined;
  /** The field of its labels. */
  readonly field: string;
  readonly loss: Loss;
  readonly lossWeight: number;
  readonly metrics: readonly Metric[];
  readonly classWeight: ClassWeight | undefined;
  /** The field of a weight for each example. */
  readonly exampleWeight: string | undefined;
  /** The field that says what counts. */
  readonly mask: string | undefined;
}

/** By the number of the class; what is not named weighs 1. */
export type ClassWeight = readonly number[] | Readonly<Record<number, number>>;

/** For the only output, or by the names of the outputs. */
export type ByOutput<T> = T | Readonly<Record<string, T>>;

/** What a program says of the outputs of its model. */
export interface HeadOptions {
  /** For a model with several outputs by their names, as are `metrics` and the five after it. */
  readonly loss: ByOutput<Loss>;
  /** How much the loss of each output counts; 1 if not given. */
  readonly lossWeights?: Readonly<Record<string, number>> | undefined;
  /** By name, or functions; reported over all examples of an epoch, and of an evaluation. */
  readonly metrics?: ByOutput<readonly Metric[]> | undefined;
  /** The field of the labels; `y` if not given, or of several outputs the one that is called like it. */
  readonly labels?: ByOutput<string> | undefined;
  /** How much an example of each class counts while training: `{ 0: 1, 1: 5 }`. */
  readonly classWeight?: ByOutput<ClassWeight> | undefined;
  /** The field with a number for each example, how much its loss counts. */
  readonly exampleWeight?: ByOutput<string> | undefined;
  /**
   * The field that has a 1 for what counts of an example, and a 0 for what does not: [n, steps] for
   * sequences. Besides, what layers mask does not count.
   */
  readonly mask?: ByOutput<string> | undefined;
}

/**
 * What is said of each output, in their order.
 * @param outputs the names of the model's outputs; undefined where it does not tell them: then they are
 *   those that have a loss
 * @throws TuttiError BAD_PROGRAM for an output that is not there or has no loss
 */
export function headsOf(options: HeadOptions, outputs: readonly string[] | undefined): Head[] {
  const losses = isByOutput(options.loss, outputs) ? options.loss : undefined;
  if (losses === undefined && (outputs?.length ?? 1) > 1)
    throw bad(
      `The model has the outputs ${list(outputs!)}, and one loss is given`,
      `Give each its own: loss: { ${outputs!.map((name) => `${quoted(name)}: …`).join(', ')} }.`,
    );
  const names = outputs ?? Object.keys(losses ?? {});
  const sole = losses === undefined;
  /** What an option says of the output of this name. */
  const said = <T>(
    option: keyof HeadOptions,
    value: ByOutput<T> | undefined,
    whole: (v: unknown) => boolean,
  ) => {
    if (value === undefined || (sole && whole(value))) return () => value as T | undefined;
    if (whole(value))
      throw bad(
        `${option} is given once for the outputs ${list(names)}`,
        `Give it by the name of the output: ${option}: { ${quoted(names[0]!)}: … }.`,
      );
    const given = value as Readonly<Record<string, T>>;
    const unknown = Object.keys(given).find((name) => !names.includes(name));
    if (unknown !== undefined)
      throw bad(
        `${option} names the output "${unknown}", which the model does not have`,
        `Its outputs are called ${list(names)}, after their layers.`,
      );
    return (name: string) => given[name];
  };
  const loss = said<Loss>('loss', options.loss, (value) => !isByOutput(value as Loss, outputs));
  const weight = said<number>('lossWeights', options.lossWeights, () => false);
  const metrics = said<readonly Metric[]>('metrics', options.metrics, Array.isArray);
  const labels = said<string>('labels', options.labels, isText);
  const classWeight = said<ClassWeight>('classWeight', options.classWeight, isClassWeight);
  const exampleWeight = said<string>('exampleWeight', options.exampleWeight, isText);
  const mask = said<string>('mask', options.mask, isText);
  return (sole ? [names[0] ?? ''] : names).map((name) => {
    const own = loss(name);
    if (own === undefined)
      throw bad(`The output "${name}" has no loss`, `Give it one: loss: { ${quoted(name)}: … }.`);
    return {
      name: sole ? undefined : name,
      field: labels(name) ?? (sole ? 'y' : name),
      loss: own,
      lossWeight: checkWeight(name, weight(name) ?? 1),
      metrics: metrics(name) ?? [],
      classWeight: classWeight(name),
      exampleWeight: exampleWeight(name),
      mask: mask(name),
    };
  });
}

/** A loss for each output, rather than one, which may have options that nobody knows. */
function isByOutput(
  loss: HeadOptions['loss'],
  outputs: readonly string[] | undefined,
): loss is Readonly<Record<string, Loss>> {
  if (typeof loss !== 'object' || loss === null) return false;
  if (!('name' in loss) || typeof loss.name !== 'string') return true;
  if (outputs !== undefined) return outputs.includes('name');
  return Object.values(loss).every((each) => !['boolean', 'number'].includes(typeof each));
}

const isText = (value: unknown) => typeof value === 'string';

const isClassWeight = (value: unknown) =>
  Array.isArray(value) || Object.values(value as object).every((each) => typeof each === 'number');

function checkWeight(output: string, weight: number): number {
  if (typeof weight === 'number' && Number.isFinite(weight) && weight >= 0) return weight;
  throw bad(`lossWeights of "${output}" is ${weight}`, 'Give a number from 0.');
}

function list(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}

function quoted(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : `'${name}'`;
}

function bad(message: string, remedy: string): TuttiError {
  return new TuttiError('BAD_PROGRAM', message, { remedy });
}
