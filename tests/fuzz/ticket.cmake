outband_fuzz(ticket_jwt ticket_jwt.cpp)
