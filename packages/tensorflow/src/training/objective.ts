import { TuttiError } from '@tutti/runtime';
import type { MetricDirections, MetricForms } from '@tutti/worker';
import { resolveLoss, type SoftmaxCrossEntropy } from '../losses/losses.js';
import { checkClassLabels } from '../metrics/labels.js';
import { MEAN, sum } from '../metrics/metric.js';
import { type Predicted, resolveMetrics } from '../metrics/resolve-metrics.js';
import type { tf } from '../tf.js';
import { type BatchTensors, rowOf } from '../tfjs/batch-tensors.js';
import { createExampleWeights } from './example-weights.js';
import { type HeadOptions, headsOf } from './heads.js';

/** What a model gives for a batch, in the order of its outputs. */
export interface Outputs {
  readonly batch: BatchTensors;
  readonly outputs: readonly tf.Tensor[];
  /** What its layers have found to count, where they know. */
  readonly masks: readonly (tf.Tensor | undefined)[];
}

/** What a program is trained on, and what it is measured by: of all outputs together. */
export interface Objective {
  /** The names of the outputs, where there are several. */
  readonly outputs: readonly string[] | undefined;
  /** For each output, whether its softmax is left out: the loss starts from its logits. */
  readonly logits: readonly boolean[];
  readonly metricForms: MetricForms;
  readonly metricDirections: MetricDirections;
  /** The names of all numbers that it reports, besides `loss`. */
  readonly names: readonly string[];
  /** The sums of no examples. */
  readonly nothing: Readonly<Record<string, number>>;
  /** Reads labels. @throws TuttiError BAD_DATA, PROGRAM_FAILED */
  check(batch: BatchTensors, outputs: readonly (readonly number[])[]): void;
  /** One loss for each example, [n], of the outputs together and, where there are several, of each. */
  losses(
    given: Outputs,
    training: boolean,
  ): { readonly all: tf.Tensor; readonly each: ReadonlyMap<string, tf.Tensor> };
  /** What the sums of metrics are made of that we make, not the program; by metric and part. */
  measure(given: Outputs): ReadonlyMap<string, tf.Tensor>;
  /**
   * Sums over the examples.
   * @param measured what `measure` and `losses` gave
   */
  sums(given: Outputs, measured: ReadonlyMap<string, tf.Tensor>): Record<string, number>;
}

/**
 * @param model.outputs the names of its outputs, where it tells them
 * @param model.softmax whether each ends with a softmax that it can leave out
 * @throws TuttiError BAD_PROGRAM
 */
export function createObjective(
  options: HeadOptions,
  model: { readonly outputs: readonly string[] | undefined; readonly softmax: readonly boolean[] },
  softmaxCrossEntropy?: SoftmaxCrossEntropy,
  { skipSoftmax = false }: { readonly skipSoftmax?: boolean } = {},
): Objective {
  const heads = headsOf(options, model.outputs).map((head, at) => {
    const loss = resolveLoss(head.loss, softmaxCrossEntropy);
    const prefix = head.name === undefined ? '' : `${head.name}_`;
    return {
      ...head,
      loss,
      weights: createExampleWeights(head),
      logits: skipSoftmax && model.softmax[at] === true && loss.prefersLogits,
      lossName: `${prefix}loss`,
      metrics: resolveMetrics(head.metrics, head.loss).map((metric) => ({
        ...metric,
        name: `${prefix}${metric.name}`,
      })),
    };
  });
  type ResolvedHead = (typeof heads)[number];
  const several = heads.length > 1;
  const metrics = heads.flatMap((head, at) => head.metrics.map((metric) => ({ metric, at })));

  function predicted({ batch, outputs, masks }: Outputs, at: number): Predicted {
    const { field, logits, mask } = heads[at]!;
    return {
      field,
      batch,
      yTrue: batch[field],
      outputs: outputs[at]!,
      softmaxSkipped: logits,
      mask: combined(mask === undefined ? undefined : maskField(batch, mask), masks[at]),
    };
  }

  function lossOf(head: ResolvedHead, at: number, given: Outputs, training: boolean): tf.Tensor {
    const { outputs, ...labelled } = predicted(given, at);
    const values = head.loss.perExample({ ...labelled, yPred: outputs }, head.logits);
    const weights = head.weights.of(given.batch, outputs.shape, training);
    return weights === undefined ? values : values.mul(weights);
  }

  return {
    outputs: several || heads[0]!.name !== undefined ? heads.map(({ name }) => name!) : undefined,
    logits: heads.map(({ logits }) => logits),
    metricForms: Object.fromEntries(
      metrics.flatMap(({ metric: { name, form } }) => (form === undefined ? [] : [[name, form]])),
    ),
    metricDirections: Object.fromEntries(
      metrics.map(({ metric: { name, better } }) => [name, better]),
    ),
    names: [
      ...(several ? heads.map(({ lossName }) => lossName) : []),
      ...metrics.map(({ metric }) => metric.name),
    ],
    nothing: Object.fromEntries([
      ...(several ? heads.map(({ lossName }): [string, number] => [lossName, 0]) : []),
      ...metrics.flatMap(({ metric: { name, form } }): [string, number][] =>
        form === undefined ? [[name, 0]] : [],
      ),
    ]),
    check(batch, outputs) {
      heads.forEach(({ field, loss, weights, mask, metrics }, at) => {
        const predictions = outputs[at]!;
        const yTrue = batch[field];
        const labelled = {
          field,
          yTrue,
          batch,
          mask: mask === undefined ? undefined : batch[mask],
        };
        if (labelled.mask !== undefined) checkMask(labelled.mask, mask!);
        loss.check(labelled, predictions);
        if (metrics.some(({ ofClasses }) => ofClasses)) checkClassLabels(labelled, predictions);
        weights.check(yTrue, predictions);
      });
    },
    losses(given, training) {
      const each = heads.map((head, at) => lossOf(head, at, given, training));
      const all = each.reduce<tf.Tensor | undefined>((total, values, at) => {
        const { lossWeight } = heads[at]!;
        const weighed = lossWeight === 1 ? values : values.mul(lossWeight);
        return total === undefined ? weighed : total.add(weighed);
      }, undefined)!;
      return {
        all,
        each: new Map(several ? each.map((values, at) => [heads[at]!.lossName, values]) : []),
      };
    },
    measure: (given) =>
      new Map(
        metrics.flatMap(({ metric, at }) =>
          metric.own
            ? []
            : Object.entries(metric.tensors(predicted(given, at))).map(
                ([part, tensor]): [string, tf.Tensor] => [partOf(metric.name, part), tensor],
              ),
        ),
      ),
    sums(given, measured) {
      const sums: [string, number][] = several
        ? heads.map(({ lossName }) => [lossName, sum(measured.get(lossName)!.dataSync())])
        : [];
      for (const { metric, at } of metrics) {
        const known = metric.own
          ? metric.tensors(predicted(given, at))
          : tensorsOf(metric.name, measured);
        for (const [part, value] of Object.entries(metric.sums(known)))
          sums.push([partOf(metric.name, part), value]);
      }
      return Object.fromEntries(sums);
    },
  };
}

/** What a part of a metric is summed as. */
function partOf(metric: string, part: string): string {
  return part === MEAN ? metric : `${metric}/${part}`;
}

function tensorsOf(
  metric: string,
  measured: ReadonlyMap<string, tf.Tensor>,
): Readonly<Record<string, tf.Tensor>> {
  return Object.fromEntries(
    [...measured].flatMap(([key, tensor]) => {
      if (key === metric) return [[MEAN, tensor]];
      return key.startsWith(`${metric}/`) ? [[key.slice(metric.length + 1), tensor]] : [];
    }),
  );
}

function combined(one: tf.Tensor | undefined, other: tf.Tensor | undefined): tf.Tensor | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one.cast('float32').mul(other.cast('float32'));
}

/** @throws TuttiError BAD_DATA for a mask that says neither yes nor no: means would be of another number of values */
function checkMask(mask: tf.Tensor, field: string): void {
  const values = mask.dataSync();
  const at = values.findIndex((value) => value !== 0 && value !== 1);
  if (at < 0) return;
  throw new TuttiError('BAD_DATA', `The mask "${field}" has ${values[at]}`, {
    remedy:
      'Give a 1 for what counts and a 0 for what does not; exampleWeight says how much a whole example counts.',
    details: { field, row: rowOf(mask, at) },
  });
}

function maskField(batch: BatchTensors, name: string): tf.Tensor {
  const field = batch[name];
  if (field !== undefined) return field;
  throw new TuttiError(
    'PROGRAM_FAILED',
    `mask is the field "${name}", but the dataset gives ${Object.keys(batch).join(', ')}`,
    { remedy: 'Give a 1 there for what counts and a 0 for what does not, or name another field.' },
  );
}
