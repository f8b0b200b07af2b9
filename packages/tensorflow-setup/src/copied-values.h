/**
 * Included before the sources of the addon: it has one function more, `copyValues(tensor, from, target)`. It fills the
 * Float32Array `target` with values of the tensor, beginning with the one at `from`.
 *
 * What `tensorDataSync` returns is memory that no one has used of late, and waits for the garbage collector afterwards:
 * of a large gradient, writing to it takes longer than reading does. Lending the memory of TensorFlow is no way out.
 * Then all that TensorFlow writes to is such memory, and Node frees it only when its event loop turns.
 */
#pragma once

#include <cstring>

#include "tfjs_backend.h"

namespace tutti {

using TensorHandles = std::unordered_map<int32_t, TFE_TensorHandle *>;

/** The class keeps them to itself; but an explicit instantiation may name what is private. */
TensorHandles &TensorHandlesOf(tfnodejs::TFJSBackend &backend);
template <TensorHandles tfnodejs::TFJSBackend::*handles>
struct Opened {
  friend TensorHandles &TensorHandlesOf(tfnodejs::TFJSBackend &backend) { return backend.*handles; }
};
template struct Opened<&tfnodejs::TFJSBackend::tfe_handle_map_>;

inline napi_value Refuse(napi_env env, const char *reason) {
  napi_throw_error(env, nullptr, reason);
  return nullptr;
}

inline napi_value CopyValues(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value arguments[3];
  int32_t id;
  int64_t from;
  napi_typedarray_type type;
  size_t length;
  void *target;
  void *backend;
  if (napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr) != napi_ok || count != 3 ||
      napi_get_value_int32(env, arguments[0], &id) != napi_ok ||
      napi_get_value_int64(env, arguments[1], &from) != napi_ok ||
      napi_get_typedarray_info(env, arguments[2], &type, &length, &target, nullptr, nullptr) != napi_ok ||
      type != napi_float32_array || napi_get_instance_data(env, &backend) != napi_ok)
    return Refuse(env, "copyValues takes a tensor, a position and a Float32Array");

  const TensorHandles &handles = TensorHandlesOf(*static_cast<tfnodejs::TFJSBackend *>(backend));
  const auto handle = handles.find(id);
  if (handle == handles.end()) return Refuse(env, "copyValues was given no tensor");
  if (TFE_TensorHandleDataType(handle->second) != TF_FLOAT)
    return Refuse(env, "copyValues was given a tensor that is not float32");

  TF_Status *status = TF_NewStatus();
  TF_Tensor *tensor = TFE_TensorHandleResolve(handle->second, status);
  const bool resolved = TF_GetCode(status) == TF_OK;
  TF_DeleteStatus(status);
  if (!resolved) return Refuse(env, "TensorFlow does not give the values of a tensor");
  const size_t available = TF_TensorByteSize(tensor) / sizeof(float);
  const bool within = from >= 0 && static_cast<size_t>(from) <= available && length <= available - from;
  if (within && length > 0)
    std::memcpy(target, static_cast<const float *>(TF_TensorData(tensor)) + from, length * sizeof(float));
  TF_DeleteTensor(tensor);
  return within ? nullptr : Refuse(env, "copyValues was asked for more values than the tensor has");
}

/** @returns what the addon gives to Node */
inline napi_value WithCopyValues(napi_env env, napi_value exports) {
  napi_value function;
  const bool added =
      napi_create_function(env, "copyValues", NAPI_AUTO_LENGTH, CopyValues, nullptr, &function) == napi_ok &&
      napi_set_named_property(env, exports, "copyValues", function) == napi_ok;
  return added ? exports : Refuse(env, "copyValues cannot be added to the addon");
}

}  // namespace tutti

#undef NAPI_MODULE
#define NAPI_MODULE(name, initialize) \
  NAPI_MODULE_INIT() { return tutti::WithCopyValues(env, initialize(env, exports)); }
