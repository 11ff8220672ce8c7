"""The commands around the product: run, test, check, the local servers and the WeChat sandbox."""
