"""What is handed out: the image, the wheel, the chart and the plain manifests, each made by one command."""
