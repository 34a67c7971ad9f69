"""ArgoCD's applications: how they stand, their syncs and the way back, as steps and on the live panel."""
