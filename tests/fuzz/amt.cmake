outband_fuzz(amt_operation amt_operation.cpp)
