"""What the operator of a site needs: health, metrics, backups, the checklist of protection."""
