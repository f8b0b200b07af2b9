import protobuf from 'protobufjs/light.js';
import { badData } from '../../contract/bad-data.js';
import type { ImagePlace } from '../images/images.js';

/** The list of values of one feature: exactly one of the three. */
export interface Feature {
  readonly bytesList?: { readonly value?: readonly Uint8Array[] };
  readonly floatList?: { readonly value?: readonly number[] };
  readonly int64List?: { readonly value?: readonly (number | { toNumber(): number })[] };
}

export type Features = Readonly<Record<string, Feature>>;

/** tensorflow/core/example/{example,feature}.proto */
const DESCRIPTOR = {
  nested: {
    BytesList: { fields: { value: { rule: 'repeated', type: 'bytes', id: 1 } } },
    FloatList: {
      fields: { value: { rule: 'repeated', type: 'float', id: 1, options: { packed: true } } },
    },
    Int64List: {
      fields: { value: { rule: 'repeated', type: 'int64', id: 1, options: { packed: true } } },
    },
    Feature: {
      oneofs: { kind: { oneof: ['bytesList', 'floatList', 'int64List'] } },
      fields: {
        bytesList: { type: 'BytesList', id: 1 },
        floatList: { type: 'FloatList', id: 2 },
        int64List: { type: 'Int64List', id: 3 },
      },
    },
    Features: { fields: { feature: { keyType: 'string', type: 'Feature', id: 1 } } },
    Example: { fields: { features: { type: 'Features', id: 1 } } },
  },
};

/** Makes a parser of tf.train.Example messages. */
export function createExampleParser(): (bytes: Uint8Array, place: ImagePlace) => Features {
  const Example = protobuf.Root.fromJSON(DESCRIPTOR).lookupType('Example');
  return (bytes, place) => {
    try {
      const message = Example.decode(bytes) as unknown as { features?: { feature?: Features } };
      return message.features?.feature ?? {};
    } catch (thrown) {
      throw badData(
        `the record is no tf.train.Example (${(thrown as Error).message})`,
        'Write the records with tf.train.Example(...).SerializeToString().',
        { ...place, cause: thrown },
      );
    }
  };
}
