import type { Hyperparameters } from '@tutti/telemetry';
import { bytes, double, float, message, readVarint, varint } from './protobuf.js';

// Event and Summary of tensorboard/compat/proto; the hparams plugin's messages of
// tensorboard/plugins/hparams/{api,plugin_data}.proto. Field numbers are theirs.

const WALL_TIME = 1;
const STEP = 2;
const FILE_VERSION = 3;
const SUMMARY = 5;

/** What a file begins with. */
export const versionEvent = (at: number): Uint8Array =>
  message(double(WALL_TIME, at / 1000), bytes(FILE_VERSION, 'brain.Event:2'));

/** Numbers of one step, by tag. */
export function scalarsEvent(
  at: number,
  step: number,
  scalars: Readonly<Record<string, number>>,
): Uint8Array {
  const values = Object.entries(scalars).map(([tag, value]) =>
    bytes(1, message(bytes(1, tag), float(2, value))),
  );
  return message(
    double(WALL_TIME, at / 1000),
    varint(STEP, step),
    bytes(SUMMARY, message(...values)),
  );
}

/** The step of an event; 0 if it says none. */
export const stepOf = (event: Uint8Array): number => readVarint(event, STEP) ?? 0;

const DT_FLOAT = 1;

function hparamsEvent(at: number, tag: string, data: Uint8Array): Uint8Array {
  const plugin = message(bytes(1, 'hparams'), bytes(2, data));
  const metadata = message(bytes(1, plugin));
  // A plugin's data come with a tensor, which is empty.
  const tensor = message(varint(1, DT_FLOAT), bytes(2, new Uint8Array()), float(5, 0));
  const value = message(bytes(1, tag), bytes(9, metadata), bytes(8, tensor));
  return message(double(WALL_TIME, at / 1000), bytes(SUMMARY, message(bytes(1, value))));
}

/** What a run was begun with: one row of the table of hyperparameters. */
export function sessionStartEvent(
  at: number,
  name: string,
  hyperparameters: Hyperparameters,
): Uint8Array {
  const entries = Object.entries(hyperparameters).map(([key, value]) =>
    bytes(1, message(bytes(1, key), bytes(2, protoValue(value)))),
  );
  const start = message(...entries, bytes(4, name), double(5, at / 1000));
  return hparamsEvent(at, '_hparams_/session_start_info', message(bytes(3, start)));
}

export function sessionEndEvent(at: number, succeeded: boolean): Uint8Array {
  const end = message(varint(1, succeeded ? 1 : 2), double(2, at / 1000));
  return hparamsEvent(at, '_hparams_/session_end_info', message(bytes(4, end)));
}

/** google.protobuf.Value */
function protoValue(value: number | string | boolean): Uint8Array {
  if (typeof value === 'number') return double(2, value);
  return typeof value === 'string' ? bytes(3, value) : varint(4, value ? 1 : 0);
}
