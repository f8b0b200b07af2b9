export type {
  Batch,
  Dataset,
  Field,
  GivenBatch,
  GivenField,
  Notice,
} from './contract/dataset.js';
export type { SourceOptions } from './files/source.js';
export { type IdxOptions, idx } from './formats/arrays/idx.js';
export { type NpyOptions, npy } from './formats/arrays/npy.js';
export { type NpzOptions, npz } from './formats/arrays/npz.js';
export type { TableOptions } from './formats/arrays/table.js';
export { type ImageFolderOptions, imageFolder } from './formats/images/image-folder.js';
export type { ImageSize } from './formats/images/images.js';
export { type ArrowOptions, arrow } from './formats/rows/arrow.js';
export { type CsvOptions, csv } from './formats/rows/csv.js';
export { type JsonLinesOptions, jsonLines } from './formats/rows/json-lines.js';
export { type ParquetOptions, parquet } from './formats/rows/parquet.js';
export type { CsvSchema } from './formats/rows/schema.js';
export { type TextOptions, text } from './formats/text/text.js';
export {
  createTokenizer,
  type Tokenizer,
  type TokenizerOptions,
} from './formats/text/tokenizer.js';
export { tfrecord } from './formats/tfrecord/tfrecord.js';
export type { TfrecordField } from './formats/tfrecord/tfrecord-fields.js';
export { arrays } from './memory/arrays.js';
export { shuffle } from './transforms/shuffle.js';
export {
  type FoldsOptions,
  folds,
  type Parts,
  type SplitOptions,
  split,
} from './transforms/split.js';
export { map, slice, take } from './transforms/wrappers.js';
