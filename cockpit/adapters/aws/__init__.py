"""AWS operations as steps, through boto3."""
