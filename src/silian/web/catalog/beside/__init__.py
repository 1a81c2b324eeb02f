"""What stands beside records: attachments, bookings of facilities, claims of experts, mutual interest."""
