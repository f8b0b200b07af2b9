/**
 * Included before the sources of the addon: no signal interrupts a thread in which TensorFlow computes.
 *
 * Where a matrix is long, the AVX2 kernel of oneDNN (jit_avx_gemm_f32) lets the stack pointer itself
 * point to its workspace on the heap. A signal handler that runs on the stack then writes over the
 * heap below: memory is corrupted, or a gradient is wrong. So all calls that compute, and those that
 * start threads, which inherit the mask, block signals until they return. A signal to the process is
 * meanwhile taken by a thread of Node's, or waits.
 */
#pragma once

#include <pthread.h>
#include <signal.h>

#include <initializer_list>

#include "tensorflow/c/c_api.h"
#include "tensorflow/c/eager/c_api.h"

namespace tutti {

class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t signals;
    sigfillset(&signals);
    // A thread raises these by its own fault, and they end the process anyhow.
    for (int fault : {SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP}) sigdelset(&signals, fault);
    pthread_sigmask(SIG_BLOCK, &signals, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked &) = delete;
  SignalsBlocked &operator=(const SignalsBlocked &) = delete;

 private:
  sigset_t before_;
};

template <typename Function, typename... Arguments>
auto WithSignalsBlocked(Function function, Arguments... arguments) {
  SignalsBlocked blocked;
  return function(arguments...);
}

}  // namespace tutti

#define TFE_NewContext(...) tutti::WithSignalsBlocked(TFE_NewContext, __VA_ARGS__)
#define TFE_Execute(...) tutti::WithSignalsBlocked(TFE_Execute, __VA_ARGS__)
#define TFE_TensorHandleCopyToDevice(...) \
  tutti::WithSignalsBlocked(TFE_TensorHandleCopyToDevice, __VA_ARGS__)
#define TF_LoadSessionFromSavedModel(...) \
  tutti::WithSignalsBlocked(TF_LoadSessionFromSavedModel, __VA_ARGS__)
#define TF_SessionRun(...) tutti::WithSignalsBlocked(TF_SessionRun, __VA_ARGS__)
