/// State that most machines of a crowd never change: nothing is allocated until somebody does.
///
/// Context: a member of device_model; the type may be incomplete there.
#pragma once

#include <memory>

namespace outband::amtsim {

template <class T> class lazily {
public:
  /// What it is: as a fresh machine has it, until it is changed.
  const T& operator*() const {
    static const T fresh{};
    return mine_ ? *mine_ : fresh;
  }
  const T* operator->() const { return &**this; }
  /// To change it.
  T& change() {
    if (!mine_)
      mine_ = {new T{}, [](T* t) {
                 delete t;
               }};
    return *mine_;
  }
  bool changed() const { return mine_ != nullptr; }
  void reset() { mine_.reset(); }

private:
  std::unique_ptr<T, void (*)(T*)> mine_{nullptr, [](T*) {
                                         }};
};

} // namespace outband::amtsim
