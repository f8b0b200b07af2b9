export { ACTIVATION_NAMES } from './activation-names.js';
export { ACTIVATIONS } from './activations.js';
export { crc32 } from './crc32.js';
export { LAYER_KINDS } from './layers/index.js';
export { type LayerKind, product, type Shape } from './layers/layer.js';
export { LAYER_NAMES } from './layers/names.js';
export { BODY_AT, CHECKSUM_AT, MAGIC, MAX_VALUES, VERSION } from './read-model.js';
export { BY_COLUMNS, ENCODING, SPARSE } from './tensor.js';
