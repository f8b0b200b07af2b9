export { arrays } from './arrays.js';
export { type ArrowOptions, arrow } from './arrow.js';
export { type CsvOptions, csv } from './csv.js';
export type { CsvSchema } from './csv-rows.js';
export type {
  Batch,
  Dataset,
  Field,
  GivenBatch,
  GivenField,
  Notice,
} from './dataset.js';
export { type IdxOptions, idx } from './idx.js';
export { type ImageFolderOptions, imageFolder } from './image-folder.js';
export type { ImageSize } from './images.js';
export { type JsonLinesOptions, jsonLines } from './json-lines.js';
export { type NpyOptions, npy } from './npy.js';
export { type NpzOptions, npz } from './npz.js';
export { type ParquetOptions, parquet } from './parquet.js';
export { shuffle } from './shuffle.js';
export type { SourceOptions } from './source.js';
export { type FoldsOptions, folds, type Parts, type SplitOptions, split } from './split.js';
export type { TableOptions } from './table.js';
export { type TextOptions, text } from './text.js';
export { tfrecord } from './tfrecord.js';
export type { TfrecordField } from './tfrecord-fields.js';
export { createTokenizer, type Tokenizer, type TokenizerOptions } from './tokenizer.js';
export { map, slice, take } from './wrappers.js';
