/**
 * Included before the sources of the addon: the memory that a tensor's values are copied to is not filled
 * with zeros before. All callers write over every byte of it; for large gradients filling took as long as
 * copying.
 *
 * Node gives such memory to its own Buffers alone; the ArrayBuffer below one is like any other.
 */
#pragma once

#include <node_api.h>

namespace tutti {

inline napi_status CreateUnfilledArrayBuffer(napi_env env, size_t bytes, void **data, napi_value *result) {
  napi_value buffer;
  napi_status status = napi_create_buffer(env, bytes, data, &buffer);
  if (status != napi_ok) return status;
  size_t offset = 0;
  status = napi_get_typedarray_info(env, buffer, nullptr, nullptr, nullptr, result, &offset);
  if (status != napi_ok || offset == 0) return status;
  // It shares memory with others. No version of Node is known to do that here.
  return napi_create_arraybuffer(env, bytes, data, result);
}

}  // namespace tutti

#define napi_create_arraybuffer tutti::CreateUnfilledArrayBuffer
