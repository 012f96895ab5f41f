outband_fuzz(amt_operation amt_operation.cpp)
outband_fuzz(amt_step amt_step.cpp)
